namespace FastNN.Hosting;

/// <summary>Why a call has no answer.</summary>
public enum InferenceFailure
{
    /// <summary>An input is missing, unknown, or of the wrong type, shape or length.</summary>
    InvalidInput,

    /// <summary>There is no such model, or no such version of it.</summary>
    NotFound,

    /// <summary>The model is loading, being unloaded, or could not be loaded.</summary>
    NotReady,

    /// <summary>The queue is full: try again later.</summary>
    QueueFull,

    /// <summary>The answer would come, or came, behind the deadline.</summary>
    DeadlineExceeded,

    /// <summary>The service is shutting down.</summary>
    ShuttingDown,

    /// <summary>The model failed on valid inputs.</summary>
    Failed,
}

/// <summary>A call that has no answer. Its message names the model and what to do, and no file or folder.</summary>
public sealed class InferenceException : Exception
{
    /// <param name="failure">Why.</param>
    /// <param name="message">What was expected, what was given, what to do.</param>
    /// <param name="inner">What it comes from; never shown to a remote caller.</param>
    public InferenceException(InferenceFailure failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    /// <summary>Why.</summary>
    public InferenceFailure Failure { get; }

    /// <summary>When to try again, where the model knows: of a <see cref="InferenceFailure.QueueFull"/>, about the time until a
    /// call would be admitted.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
