"""The genuine Python client's KMS drivers: `drivers.py wrap|unwrap KEY_URL BASE64`.

Prints the result in base64. The environment variable KMS_PROPERTIES is the rule configuration as a JSON object.
"""

import base64
import importlib
import json
import os
import sys

from service import resolve_localhost

MODULES = {
    "aws-kms": "awskms.aws_driver.AwsKmsDriver",
    "azure-kms": "azurekms.azure_driver.AzureKmsDriver",
    "gcp-kms": "gcpkms.gcp_driver.GcpKmsDriver",
    "hcvault": "hcvault.hcvault_driver.HcVaultKmsDriver",
    "local-kms": "localkms.local_driver.LocalKmsDriver",
}


def driver(key_url):
    module, name = MODULES[key_url.split("://")[0]].rsplit(".", 1)
    return getattr(importlib.import_module(f"confluent_kafka.schema_registry.rules.encryption.{module}"), name)()


def redirect_google(client, address):
    """Takes the driver's client to another address, for which neither driver nor library has a setting of theirs.

    Everything of it but the transport stays: credentials, and what makes bytes of calls.
    """
    from google.cloud import kms_v1

    client._client = kms_v1.KeyManagementServiceClient(
        credentials=client._client.transport._credentials, transport="rest", client_options={"api_endpoint": address})


def main():
    resolve_localhost()
    operation, key_url, text = sys.argv[1:4]
    properties = json.loads(os.environ["KMS_PROPERTIES"])
    client = driver(key_url).new_kms_client(properties, key_url)
    if key_url.startswith("gcp-kms"):
        redirect_google(client, os.environ["GOOGLE_KMS_ADDRESS"])
    aead = client.get_aead(key_url)
    work = aead.encrypt if operation == "wrap" else aead.decrypt
    print(base64.b64encode(work(base64.b64decode(text), b"")).decode())


if __name__ == "__main__":
    main()
