"""Many runs of a case, kept safe: draws, plan, batches, workers, the store on disk."""
