namespace FastNN.Hosting;

/// <summary>
/// Calls of one loaded model, first in, first out: one that was disposed comes round again as late as possible, so that a call
/// that is used behind its disposal is told so rather than another caller's.
/// </summary>
/// <param name="create">Makes a further one.</param>
internal sealed class CallPool(Func<ServedCall> create)
{
    private const int Most = 1024;

    private readonly Lock _lock = new();
    private readonly Queue<ServedCall> _idle = new();

    /// <summary>An idle call, or a new one.</summary>
    public ServedCall Take()
    {
        lock (_lock)
        {
            if (_idle.TryDequeue(out ServedCall? call))
            {
                return call;
            }
        }

        return create();
    }

    /// <summary>Takes a call back; what is too many is left to the garbage collector.</summary>
    public void Give(ServedCall call)
    {
        lock (_lock)
        {
            if (_idle.Count < Most)
            {
                _idle.Enqueue(call);
            }
        }
    }
}
