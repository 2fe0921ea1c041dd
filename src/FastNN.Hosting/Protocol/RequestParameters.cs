namespace FastNN.Hosting.Protocol;

/// <summary>What the parameters of a request mean, over REST as over gRPC.</summary>
internal static class RequestParameters
{
    /// <summary>The level of callers that name none; 1 is the highest.</summary>
    private const int DefaultLevel = 10;

    /// <summary>Refuses the parameters of what this server does not do; a request with them would get a wrong answer.</summary>
    public static void RefuseUnsupported(ReadOnlySpan<byte> name)
    {
        if (name.StartsWith("sequence_"u8))
        {
            throw new InferenceException(
                InferenceFailure.InvalidInput, $"parameter {Show.Name(name)} is not supported: models keep no state " +
                "between requests; send what belongs together in one request");
        }

        if (name.StartsWith("shared_memory_"u8))
        {
            throw new InferenceException(InferenceFailure.InvalidInput,
                $"parameter {Show.Name(name)} is not supported: send the elements in the request, as JSON or as binary data");
        }
    }

    /// <summary>A call's <see cref="ModelCall.Priority"/> from the protocol's level: 1 the highest, larger ones lower, 0 the
    /// default (as level 10).</summary>
    public static int Priority(long level) => level switch
    {
        < 0 => throw new InferenceException(InferenceFailure.InvalidInput,
            $"parameter 'priority': expected 0 (default) or a level from 1 (highest), got {level}"),
        0 => 0,
        _ => DefaultLevel - (int)Math.Min(level, 1000),
    };

    /// <summary>A call's <see cref="ModelCall.Deadline"/>.</summary>
    /// <param name="microseconds">What the request allows; 0 for what the server does.</param>
    /// <param name="server">What the server allows at most; <see cref="Timeout.InfiniteTimeSpan"/> for any time.</param>
    /// <param name="arrival">When the request came, by <paramref name="time"/>.</param>
    /// <param name="time">The clock.</param>
    public static long Deadline(long microseconds, TimeSpan server, long arrival, TimeProvider time)
    {
        if (microseconds < 0)
        {
            throw new InferenceException(InferenceFailure.InvalidInput,
                $"parameter 'timeout': expected microseconds, 0 for no time-out of its own, got {microseconds}");
        }

        long ticks = microseconds is 0 or > long.MaxValue / TimeSpan.TicksPerMicrosecond
            ? long.MaxValue
            : microseconds * TimeSpan.TicksPerMicrosecond;
        ticks = server > TimeSpan.Zero ? Math.Min(ticks, server.Ticks) : ticks;
        if (ticks == long.MaxValue)
        {
            return 0;
        }

        double deadline = arrival + (ticks * ((double)time.TimestampFrequency / TimeSpan.TicksPerSecond));

        // 0 stands for no deadline, so one that falls on it is a step later.
        return deadline >= long.MaxValue ? 0 : (long)deadline is 0 ? 1 : (long)deadline;
    }
}
