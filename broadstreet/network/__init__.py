"""The operator's own network: what is there, what is planned, what stands.

`ground` puts together what is there before a plan.
"""
