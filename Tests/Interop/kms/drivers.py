"""The genuine Python client's KMS drivers: `drivers.py wrap|unwrap KEY_URL BASE64 [PROPERTIES]`.

Prints the result in base64. PROPERTIES is the rule configuration as a JSON object.
"""

import base64
import importlib
import json
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


def main():
    resolve_localhost()
    operation, key_url, text = sys.argv[1:4]
    properties = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
    aead = driver(key_url).new_kms_client(properties, key_url).get_aead(key_url)
    work = aead.encrypt if operation == "wrap" else aead.decrypt
    print(base64.b64encode(work(base64.b64decode(text), b"")).decode())


if __name__ == "__main__":
    main()
