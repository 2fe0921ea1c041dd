namespace FastNN.Hosting;

/// <summary>What settings of serving must be.</summary>
internal static class ServingRules
{
    /// <summary>What is wrong with settings of batching; null where nothing is.</summary>
    public static string? Fault(BatchingOptions options)
    {
        try
        {
            options.Check();
            return null;
        }
        catch (ArgumentOutOfRangeException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Whether a time can be a time-out.</summary>
    public static bool IsTimeout(TimeSpan time) => time > TimeSpan.Zero || time == Timeout.InfiniteTimeSpan;

    /// <summary>The same settings in an object of their own.</summary>
    public static BatchingOptions Copy(BatchingOptions options) => new()
    {
        MaxBatch = options.MaxBatch,
        MaxDelay = options.MaxDelay,
        QueueLength = options.QueueLength,
        Objective = options.Objective,
        PriorityStep = options.PriorityStep,
        BatchInvariant = options.BatchInvariant,
        MaxConcurrency = options.MaxConcurrency,
        ComputeOnCaller = options.ComputeOnCaller,
    };
}
