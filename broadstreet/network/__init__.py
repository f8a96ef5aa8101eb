"""The operator's own network: what is there, what is planned, what stands.

`ground` puts together what is there before a plan: streets as a graph of ways, who is to be reached, what lies there
already, and what each metre costs. `ofds` reads, checks and writes networks by the Open Fibre Data Standard. `plan`
goes from a ground to a `design` with a bound, `proof` checks it, `scenarios` keeps what was planned, `papers` hands it
over to those who build it. `siting` says where sensors go. Money is whole cents, lengths are metres on the ellipsoid,
places are WGS 84 degrees. Others import from the sub-rooms; this face has no names of its own.
"""
