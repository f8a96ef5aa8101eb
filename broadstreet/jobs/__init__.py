"""Long work with progress: somebody asks for it, a worker does it, and what came of it waits as a file.

In comes a job (`Jobs.begin`): a kind, a wish that the kind understands, and whose it is. A `Worker` of some process
takes it, hands it to what does that kind of work with a `Product` to write to, and says every second how far it is.
Out goes the file, whole or by the part that a Range header asks for (`FilePart`), until its time is over.

What must always hold: a job ends, as done, failed or cancelled, however often its worker is killed: what was left is
begun again, at most MAX_ATTEMPTS times; a file is there whole under its name, or not at all; all files together have a
bound, and so has the time that they stay; a job is seen by whoever asked for it alone.
"""

from broadstreet.jobs.job import MAX_ATTEMPTS, Job, JobLimits, Jobs, JobState
from broadstreet.jobs.part import FilePart, part_of
from broadstreet.jobs.product import Product
from broadstreet.jobs.worker import Work, Worker

__all__ = ["MAX_ATTEMPTS", "FilePart", "Job", "JobLimits", "JobState", "Jobs", "Product", "Work", "Worker", "part_of"]
