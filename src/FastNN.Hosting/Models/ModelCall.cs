namespace FastNN.Hosting;

/// <summary>
/// One call of a model: set every input, run, read the outputs, dispose. From a pool: with shapes that the model has met before
/// nothing is allocated. Not thread-safe; nothing may be touched while <see cref="RunAsync"/> is under way.
/// </summary>
public abstract class ModelCall : IDisposable
{
    /// <summary>The model's version that answers.</summary>
    public abstract string Version { get; }

    /// <summary>Of callers that wait, those with a higher number are served first. Default 0.</summary>
    public abstract int Priority { get; set; }

    /// <summary>
    /// When the answer is worthless, as <see cref="TimeProvider.GetTimestamp"/> tells the time; 0, the default, for never. A call
    /// that cannot be done by then is refused at once.
    /// </summary>
    public abstract long Deadline { get; set; }

    /// <summary>
    /// Sets the shape of an input and gives the memory for its elements, which are to be written before the call runs.
    /// </summary>
    /// <param name="index">The input's place in <see cref="IModel.Inputs"/>.</param>
    /// <param name="dimensions">Its extents.</param>
    /// <param name="bytes">How many bytes the elements have, for <see cref="TensorDataType.Bytes"/>; elsewhere it follows from
    /// the shape, and -1 stands for that.</param>
    /// <returns>Little-endian elements in row-major order, uninitialized.</returns>
    /// <exception cref="InferenceException">The shape does not fit the model, or there are more bytes than the number
    /// given.</exception>
    public abstract Span<byte> SetInput(int index, ReadOnlySpan<int> dimensions, int bytes = -1);

    /// <summary>Queues the call and completes when its outputs can be read.</summary>
    /// <exception cref="InferenceException">There is no answer.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled, and has left the queue.</exception>
    public abstract ValueTask RunAsync(CancellationToken cancellationToken = default);

    /// <summary>The extents of an output.</summary>
    /// <param name="index">The output's place in <see cref="IModel.Outputs"/>.</param>
    public abstract ReadOnlySpan<int> OutputDimensions(int index);

    /// <summary>The elements of an output, little-endian in row-major order; valid until the call is disposed.</summary>
    /// <param name="index">The output's place in <see cref="IModel.Outputs"/>.</param>
    public abstract ReadOnlySpan<byte> Output(int index);

    /// <summary>How long the call waited in the queue.</summary>
    public abstract TimeSpan QueueTime { get; }

    /// <summary>How long the batch that the call was part of was computed.</summary>
    public abstract TimeSpan ComputeTime { get; }

    /// <summary>How many examples that batch had.</summary>
    public abstract int BatchSize { get; }

    /// <summary>Gives the call back; its spans must not be used any more.</summary>
    public void Dispose()
    {
        Return();
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the call back to its pool; a second time does nothing.</summary>
    protected abstract void Return();
}
