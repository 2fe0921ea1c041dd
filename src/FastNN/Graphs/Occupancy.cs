using System.Collections.Concurrent;

namespace FastNN.Graphs;

/// <summary>
/// Who uses a set of parameters: one thread at a time, which may enter again, from a callback for instance. What is to be given
/// back while someone is inside is given back when that thread leaves, so that giving back waits for nobody and takes nothing
/// away from under anybody.
/// </summary>
/// <param name="what">What is used, for messages.</param>
internal sealed class Occupancy(string what)
{
    private readonly ConcurrentQueue<Action> _leaving = new();
    private int _owner;
    private int _depth;

    /// <summary>Whether this thread is inside.</summary>
    public bool IsMine => Volatile.Read(ref _owner) == Environment.CurrentManagedThreadId;

    /// <summary>Enters, until the result is disposed on the same thread.</summary>
    /// <exception cref="ConcurrentUseException">Another thread is inside.</exception>
    public Stay Enter(string operation)
    {
        int thread = Environment.CurrentManagedThreadId;
        if (_owner != thread && Interlocked.CompareExchange(ref _owner, thread, 0) != 0)
        {
            throw new ConcurrentUseException(
                $"{what}.{operation}: another thread is using this trainer, or reading or writing its parameters. Use one trainer per thread; predictors may be shared.");
        }

        _depth++;
        return new Stay(this);
    }

    /// <summary>
    /// Does something that must not happen while anyone is inside: now, or else when the thread that is inside leaves.
    /// </summary>
    /// <param name="action">Throws nothing.</param>
    public void WhenVacant(Action action)
    {
        _leaving.Enqueue(action);
        Drain();
    }

    private void Leave()
    {
        if (_depth > 1)
        {
            _depth--;
            return;
        }

        while (_leaving.TryDequeue(out Action? action))
        {
            action();
        }

        _depth = 0;

        // A full fence: either this thread sees what came meanwhile, or the thread that brought it finds nobody inside.
        Interlocked.Exchange(ref _owner, 0);
        if (!_leaving.IsEmpty)
        {
            Drain();
        }
    }

    private void Drain()
    {
        if (Interlocked.CompareExchange(ref _owner, Environment.CurrentManagedThreadId, 0) == 0)
        {
            _depth = 1;
            Leave();
        }
    }

    internal readonly ref struct Stay(Occupancy occupancy)
    {
        public void Dispose() => occupancy.Leave();
    }
}
