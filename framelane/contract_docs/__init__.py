"""The contract as documents for machines: JSON Schemas, and an AsyncAPI document that refers to them.

`python -m framelane.contract_docs docs` (`make schemas`) writes them; what can be taken from the code is.
"""
