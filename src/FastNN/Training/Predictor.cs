using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// A model compiled for inference: it copies the parameters when it is made and never changes, so any number of threads may call
/// it at once. Each call takes one of its contexts; after as many calls at once as there will ever be, a call allocates nothing.
/// </summary>
public sealed class Predictor : IDisposable
{
    private readonly IDevice _device;
    private readonly Layer _model;
    private readonly Shape _example;
    private readonly int _maxBatch;
    private readonly ParameterStore _store;
    private readonly Lock _gate = new();
    private ContextPool[] _pools = [];
    private volatile bool _disposed;

    internal Predictor(Layer model, IDevice device, int maxBatch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatch);
        _example = model.ExampleShape
            ?? throw new InvalidOperationException("Predictor: the model is not built; call model.Build(shape of one example), or train or load it first.");
        (_device, _model, _maxBatch) = (device, model, maxBatch);
        IReadOnlyList<Parameter> parameters = model.Parameters;
        using DeviceUse use = device.Life.Enter();
        _store = new ParameterStore(device, parameters, withGradients: false);
        try
        {
            _store.CopyFrom(parameters);
            OutputShape = Pool(1).OutputShape;
        }
        catch
        {
            _store.Dispose();
            throw;
        }
    }

    /// <summary>The shape of one example's input.</summary>
    public Shape InputShape => _example;

    /// <summary>The shape of one example's output.</summary>
    public Shape OutputShape { get; }

    /// <summary>Computes outputs. Safe to call from many threads at once.</summary>
    /// <param name="x">One or more examples, flattened one after the other.</param>
    /// <param name="y">Receives their outputs, one after the other.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="ObjectDisposedException">The predictor was disposed.</exception>
    public void Predict(ReadOnlySpan<float> x, Span<float> y)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int inputs = (int)_example.Count;
        int outputs = (int)OutputShape.Count;
        int count = x.Length / inputs;
        if (x.Length == 0 || x.Length != (long)count * inputs || y.Length != (long)count * outputs)
        {
            throw new ShapeException(
                $"Predictor: {x.Length} input and {y.Length} output values are no batch of examples {_example} with outputs {OutputShape}.");
        }

        for (int at = 0; at < count;)
        {
            int batch = Math.Min(count - at, _maxBatch);
            Run(batch, x.Slice(at * inputs, batch * inputs), y.Slice(at * outputs, batch * outputs));
            at += batch;
        }
    }

    /// <summary>Frees the parameters and contexts. Calls that are still running finish first.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        foreach (ContextPool pool in _pools)
        {
            pool.Drain();
        }

        _store.Dispose();
    }

    private void Run(int batch, ReadOnlySpan<float> x, Span<float> y)
    {
        using DeviceUse use = _device.Life.Enter();
        ContextPool pool = Pool(batch);
        Context context = pool.Rent();
        try
        {
            context.Run(_device, MemoryMarshal.AsBytes(x), MemoryMarshal.AsBytes(y));
        }
        finally
        {
            pool.Return(context);
        }
    }

    private ContextPool Pool(int batch)
    {
        foreach (ContextPool pool in Volatile.Read(ref _pools))
        {
            if (pool.Batch == batch)
            {
                return pool;
            }
        }

        lock (_gate)
        {
            foreach (ContextPool pool in _pools)
            {
                if (pool.Batch == batch)
                {
                    return pool;
                }
            }

            ObjectDisposedException.ThrowIf(_disposed, this);
            var made = new ContextPool(this, batch);
            Volatile.Write(ref _pools, [.. _pools, made]);
            return made;
        }
    }

    /// <summary>One caller's arena.</summary>
    private sealed class Context : IDisposable
    {
        private readonly Executor _executor;
        private readonly Replay _replay;
        private readonly IReadback _readback;
        private readonly Tensor _x;

        public Context(IDevice device, Executor executor, Tensor x, Tensor y)
        {
            (_executor, _x) = (executor, x);
            _replay = new Replay(device, executor.Forward);
            _readback = device.CreateReadback(y);
        }

        public void Run(IDevice device, ReadOnlySpan<byte> x, Span<byte> y)
        {
            device.Upload(x, _x);
            _replay.Run();
            _readback.Begin();
            _readback.Read(0).CopyTo(y);
        }

        public void Dispose()
        {
            _readback.Dispose();
            _replay.Dispose();
            _executor.Dispose();
        }
    }

    /// <summary>The contexts for one batch size; all share a plan.</summary>
    private sealed class ContextPool
    {
        private const int Slots = 64;

        private readonly Predictor _owner;
        private readonly Plan _plan;
        private readonly Value _x;
        private readonly Value _y;
        private readonly Context?[] _idle = new Context?[Slots];
        private int _rented;

        public ContextPool(Predictor owner, int batch)
        {
            (_owner, Batch) = (owner, batch);
            var graph = new Graph(GraphMode.Inference);
            _x = graph.Input(owner._example.Prepend(batch));
            _y = owner._model.Apply(_x);
            _plan = Compiler.Compile(owner._device, graph, [_y]);
        }

        public int Batch { get; }

        public Shape OutputShape => _y.Shape.DropFirst();

        public Context Rent()
        {
            Interlocked.Increment(ref _rented);
            // Checked after counting in, so that Drain either waits for this call or is seen here.
            if (_owner._disposed)
            {
                Interlocked.Decrement(ref _rented);
                ObjectDisposedException.ThrowIf(true, _owner);
            }

            for (int i = 0; i < Slots; i++)
            {
                if (_idle[i] is not null && Interlocked.Exchange(ref _idle[i], null) is { } context)
                {
                    return context;
                }
            }

            try
            {
                var executor = new Executor(_owner._device, _plan, _owner._store);
                return new Context(_owner._device, executor, executor[_x], executor[_y]);
            }
            catch
            {
                Interlocked.Decrement(ref _rented);
                throw;
            }
        }

        public void Return(Context context)
        {
            int i = 0;
            while (i < Slots && Interlocked.CompareExchange(ref _idle[i], context, null) is not null)
            {
                i++;
            }

            if (i == Slots)
            {
                context.Dispose();
            }

            Interlocked.Decrement(ref _rented);
        }

        /// <summary>Waits for running calls and frees all contexts.</summary>
        public void Drain()
        {
            var spin = default(SpinWait);
            while (Volatile.Read(ref _rented) != 0)
            {
                spin.SpinOnce();
            }

            foreach (Context? context in _idle)
            {
                context?.Dispose();
            }
        }
    }
}
