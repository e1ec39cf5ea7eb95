"""The HTTP face of `placet up`: submit, await, claim, report, publish context, tail, and read and append raw logs."""
