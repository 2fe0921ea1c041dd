using System.Diagnostics;

namespace FastNN.Data;

/// <summary>
/// Hands out the examples of a dataset in batches, each example once per epoch. Background threads, by default one, prepare the
/// next batches (two, and one more for each further thread) while the caller works on the last one; after the first epoch nothing
/// is allocated. The order is a function of seed and epoch, so an epoch can be repeated, and a run resumed in the midst of one;
/// neither it nor what a transform makes of a batch depends on the number of threads.
/// </summary>
/// <remarks>One thread at a time may draw batches. Any number of loaders may share a dataset.</remarks>
/// <example>
/// <code>
/// using var loader = new DataLoader(train, batchSize: 128, seed: 1);
/// for (int epoch = 1; epoch &lt;= 10; epoch++)
/// {
///     foreach (Batch batch in loader)
///     {
///         trainer.TrainBatch(batch.Features, batch.Labels);
///     }
/// }
/// </code>
/// </example>
public sealed partial class DataLoader : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Not disposed: it holds nothing, and an abandoned transform may still ask for it.
    private readonly CancellationTokenSource _stop = new();
    private readonly object _gate = new();
    private readonly Slot[] _slots;
    private readonly IBatchTransform? _transform;
    private readonly Shape _exampleShape;

    // All of these are read and written under the gate.
    private readonly Thread?[] _workers;
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;
    private int _generation;
    private int _epoch;
    private int _next;
    private int _cursor;
    private bool _disposed;

    /// <summary>Prepares a loader; no batch is made before <see cref="StartEpoch(int, int, CancellationToken)"/>.</summary>
    /// <param name="data">The examples.</param>
    /// <param name="batchSize">Examples per batch.</param>
    /// <param name="shuffle">Whether each epoch has an order of its own; otherwise all have the dataset's.</param>
    /// <param name="seed">What the orders are made from.</param>
    /// <param name="dropLast">Whether a last batch of fewer than <paramref name="batchSize"/> examples is left out.</param>
    /// <param name="transform">Changes each batch on a background thread, or null.</param>
    /// <param name="threads">Background threads, each of which prepares whole batches; default 1. With more than one, the
    /// transform and a source are called by several threads at once.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size or the number of threads is not positive, or a batch would be
    /// too large.</exception>
    /// <exception cref="ArgumentException">Dropping the last batch would leave none, or the transform cannot take the
    /// examples.</exception>
    public DataLoader(
        Dataset data, int batchSize, bool shuffle = true, ulong seed = 0, bool dropLast = false,
        IBatchTransform? transform = null, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        if (dropLast && data.Count < batchSize)
            throw new ArgumentException(
                $"expected at least one full batch of {batchSize} where the last is dropped, got {data.Count} examples",
                nameof(batchSize));
        int rows = Math.Min(batchSize, data.Count);
        _exampleShape = transform?.OutputShape(data.ExampleShape) ?? data.ExampleShape;
        if (rows * Math.Max(_exampleShape.Count, Math.Max(data.ExampleSize, data.TargetSize)) > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(batchSize), batchSize, "a batch would be larger than an array can be");

        Data = data;
        BatchSize = batchSize;
        Shuffle = shuffle;
        Seed = seed;
        BatchesPerEpoch = (data.Count / batchSize) + (dropLast || data.Count % batchSize == 0 ? 0 : 1);
        _transform = transform;
        _order = new int[data.Count];
        _workers = new Thread[Math.Min(threads, BatchesPerEpoch)];

        // One batch is with the caller, one waits for it, so that a device can fetch it while it works on the first, and each
        // thread prepares one.
        _slots = new Slot[2 + _workers.Length];
        for (int i = 0; i < _slots.Length; i++)
            _slots[i] = new Slot(data, rows, (int)_exampleShape.Count);
    }

    /// <summary>The examples.</summary>
    public Dataset Data { get; }

    /// <summary>The shape of one example in a batch: the dataset's, or what the transform makes of it.</summary>
    public Shape ExampleShape => _exampleShape;

    /// <summary>Examples per batch.</summary>
    public int BatchSize { get; }

    /// <summary>Whether each epoch has an order of its own.</summary>
    public bool Shuffle { get; }

    /// <summary>What the orders are made from.</summary>
    public ulong Seed { get; }

    /// <summary>Batches per epoch.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>Begins an epoch, also in the midst of another one; its preparation starts at once.</summary>
    /// <param name="epoch">The number of the epoch, from 1 on, which with the seed decides the order.</param>
    /// <param name="firstBatch">The batch to begin with: 0, or where an interrupted run stopped.</param>
    /// <param name="cancellationToken">Ends <see cref="TryNext"/> with an <see cref="OperationCanceledException"/>, also while it
    /// waits.</param>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is less than 1, or has no such batch.</exception>
    /// <exception cref="ObjectDisposedException">The loader is disposed.</exception>
    public void StartEpoch(int epoch, int firstBatch = 0, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstBatch, BatchesPerEpoch);

        CancellationTokenRegistration old;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            old = _registration;
            _registration = default;
            _generation++;
            _epoch = epoch;
            _next = _cursor = firstBatch;
            _cancellation = cancellationToken;
            foreach (Slot slot in _slots)
                slot.Empty();
            for (int i = 0; i < _workers.Length && _workers[i] is null; i++)
            {
                _workers[i] = new Thread(Work) { IsBackground = true, Name = "FastNN data loader" };
                _workers[i]!.Start();
            }

            Monitor.PulseAll(_gate);
        }

        // Outside the gate, because the one waits for callbacks that take it and the other may run them here.
        old.Dispose();
        if (cancellationToken.CanBeCanceled)
            Register(cancellationToken);
    }

    /// <summary>Draws the next batch of the epoch; waits where it is not ready yet.</summary>
    /// <param name="batch">The batch, in memory that the next call reuses.</param>
    /// <returns>False when the epoch is over.</returns>
    /// <exception cref="InvalidOperationException">No epoch was started.</exception>
    /// <exception cref="OperationCanceledException">The epoch was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The loader is disposed.</exception>
    /// <remarks>An exception of the transform is thrown here, in place of the batch that it hit.</remarks>
    public bool TryNext(out Batch batch)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_generation == 0)
                throw new InvalidOperationException("expected StartEpoch before TryNext");
            ReleaseLast();
            if (_next == BatchesPerEpoch)
            {
                batch = default;
                return false;
            }

            while (!SlotOf(_next).Ready)
            {
                _cancellation.ThrowIfCancellationRequested();
                Monitor.Wait(_gate);
                ObjectDisposedException.ThrowIf(_disposed, this);
            }

            _cancellation.ThrowIfCancellationRequested();
            Slot slot = SlotOf(_next);
            slot.Error?.Throw();
            slot.HandedOut = true;
            batch = slot.View(_next);
            _next++;
            return true;
        }
    }

    /// <summary>
    /// Starts the next epoch, the first where none was started, and goes over its batches: <c>foreach (Batch batch in
    /// loader)</c>.
    /// </summary>
    /// <returns>The batches, each valid until the next; nothing is allocated.</returns>
    /// <exception cref="ObjectDisposedException">The loader is disposed.</exception>
    public Batches GetEnumerator()
    {
        int last;
        lock (_gate)
        {
            last = _epoch;
        }

        StartEpoch(checked(last + 1));
        return new Batches(this);
    }

    /// <summary>
    /// Looks at the batch that <see cref="TryNext"/> will hand out next, without waiting for it; the one before stays valid.
    /// </summary>
    internal bool TryPeek(out Batch batch)
    {
        lock (_gate)
        {
            bool ready = !_disposed && _generation > 0 && _next < BatchesPerEpoch
                && SlotOf(_next) is { Ready: true, Error: null };
            batch = ready ? SlotOf(_next).View(_next) : default;
            return ready;
        }
    }

    /// <summary>
    /// Ends the background threads; a second call does nothing. A transform or source that is running is told to stop by its
    /// token and has two seconds; one that goes on is left alone on its thread, which ends when it returns and does not keep the
    /// process alive.
    /// </summary>
    public void Dispose()
    {
        CancellationTokenRegistration registration;
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            registration = _registration;
            Monitor.PulseAll(_gate);
        }

        registration.Dispose();
        _stop.Cancel();

        // No thread is started once the loader is disposed, so the array is read without the gate.
        var watch = Stopwatch.StartNew();
        foreach (Thread? worker in _workers)
        {
            TimeSpan left = Patience - watch.Elapsed;
            if (worker is not null && worker != Thread.CurrentThread)
            {
                worker.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            }
        }
    }

    private void Register(CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static state =>
            {
                var loader = (DataLoader)state!;
                lock (loader._gate)
                    Monitor.PulseAll(loader._gate);
            },
            this);
        lock (_gate)
            _registration = registration;
    }

    private Slot SlotOf(int batch) => _slots[batch % _slots.Length];

    private void ReleaseLast()
    {
        if (_next > 0 && SlotOf(_next - 1) is { HandedOut: true } last)
        {
            last.Empty();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The batches of an epoch, for foreach.</summary>
    public ref struct Batches
    {
        private readonly DataLoader _loader;
        private Batch _current;

        internal Batches(DataLoader loader) => _loader = loader;

        /// <summary>The present batch, valid until the next call of <see cref="MoveNext"/>.</summary>
        public readonly Batch Current => _current;

        /// <summary>Draws the next batch.</summary>
        /// <returns>False when the epoch is over.</returns>
        public bool MoveNext() => _loader.TryNext(out _current);
    }
}
