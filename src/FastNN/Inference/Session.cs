using FastNN.Graphs;
using FastNN.Inference;
using FastNN.Inference.Profiling;
using FastNN.Kernels;

namespace FastNN;

/// <summary>
/// A graph or model compiled for inference: recorded once, planned for each set of input shapes that it meets. It copies the
/// parameters when it is made and never changes, so any number of threads may call it at once. Its memory is bounded: that of the
/// largest plan for each concurrent call. A call whose shapes it knows allocates nothing.
/// </summary>
public sealed class Session : IDisposable, ITrimmable
{
    private readonly IDevice _device;
    private readonly ParameterStore _store;
    private readonly bool _ownsStore;
    private readonly PlanCache _plans;
    private readonly Value[] _inputs;
    private readonly Value[] _outputs;
    private readonly SemaphoreSlim _places;
    private readonly SessionContext?[] _idle;
    private readonly ArenaBudget? _budget;
    private IStepObserver? _observer;
    private int _disposed;

    /// <param name="device">Where to run.</param>
    /// <param name="graph">What to compute.</param>
    /// <param name="outputs">Its outputs with their names.</param>
    /// <param name="options">What the session may keep; null for the defaults.</param>
    /// <param name="live">Weights that are being trained, to be read where they lie; null for a copy of the present
    /// values.</param>
    internal Session(
        IDevice device, Graph graph, IReadOnlyList<(string Name, Value Value)> outputs, SessionOptions? options,
        ParameterStore? live = null)
    {
        options ??= new SessionOptions();
        Check(graph, outputs);
        Parameter[] parameters = [.. graph.Parameters];
        if (live is not null && Array.Find(parameters, parameter => !live.Contains(parameter)) is { } stranger)
        {
            throw new ArgumentException(
                $"Session: parameter {stranger.Name} is not among the weights; name its model when they are made.", nameof(graph));
        }

        _device = device;
        _inputs = [.. graph.Inputs];
        _outputs = [.. outputs.Select(output => output.Value)];
        Inputs = [.. _inputs.Select(input => new SessionValue(input.Name!, input.TensorType))];
        Outputs = [.. outputs.Select(output => new SessionValue(output.Name, output.Value.TensorType))];
        using DeviceUse use = device.Life.Enter();
        _plans = new PlanCache(device, graph, _outputs, options.MaxPlans);
        _places = new SemaphoreSlim(options.MaxConcurrency);
        _idle = new SessionContext?[options.MaxConcurrency];
        _budget = options.Budget;
        _ownsStore = live is null;
        _store = live ?? Copy(device, parameters);
        device.Keepers.Add(this);
    }

    /// <summary>What goes in, in order; extents that every call decides are symbols.</summary>
    public IReadOnlyList<SessionValue> Inputs { get; }

    /// <summary>What comes out, in order.</summary>
    public IReadOnlyList<SessionValue> Outputs { get; }

    /// <summary>Where the parameters lie.</summary>
    internal ParameterStore Store => _store;

    /// <summary>Plans kept at this moment.</summary>
    internal int PlanCount => _plans.Count;

    /// <summary>
    /// Computes the output of a session with one input and one output, whose input has at most one symbol. Thread-safe.
    /// </summary>
    /// <param name="x">The input's elements in row-major order: one or more examples, where the batch axis is the symbol.</param>
    /// <param name="y">Receives the output's elements.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidOperationException">The session has several inputs or outputs; use
    /// <see cref="Begin"/>.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public void Run(ReadOnlySpan<float> x, Span<float> y)
    {
        if (_inputs.Length != 1 || _outputs.Length != 1)
        {
            throw new InvalidOperationException(
                $"Session: Run(x, y) is for one input and one output, this has {_inputs.Length} and {_outputs.Length}; use Begin.");
        }

        using SessionRun run = Begin(ShapeOf(x.Length));
        run.Write(0, x);
        run.Compute();
        run.Read(0, y);
    }

    /// <summary>
    /// Begins a call: write the inputs, compute, read the outputs, and dispose the run. Thread-safe; a run itself belongs to one
    /// thread. Waits while as many runs as the session allows are under way.
    /// </summary>
    /// <param name="shapes">The shapes of all inputs, in order.</param>
    /// <returns>The call.</returns>
    /// <exception cref="ShapeException">The shapes do not fit the graph.</exception>
    /// <exception cref="DeviceException">The device's memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public SessionRun Begin(params ReadOnlySpan<Shape> shapes)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        _places.Wait();
        SessionContext? context = null;
        try
        {
            // Checked once more inside: disposal waits for the calls inside and lets the others see that it is over.
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            using DeviceUse use = _device.Life.Enter();
            CachedPlan plan = _plans.Hold(shapes);
            try
            {
                context = TakeIdle() ?? new SessionContext(_device, _store, _inputs, _outputs, _budget);
                context.Bind(plan);
            }
            finally
            {
                plan.Constants.Dispose();
            }

            return new SessionRun(this, context);
        }
        catch
        {
            context?.Dispose();
            _places.Release();
            throw;
        }
    }

    /// <summary>
    /// Measures every step of the runs that are made meanwhile, on any thread. It costs the runs some tens of nanoseconds per
    /// step; without it they are as before.
    /// </summary>
    /// <param name="work">Makes runs of this session; a first run of new shapes should be made before.</param>
    /// <returns>Where the time went.</returns>
    /// <exception cref="NotSupportedException">The session is not on a CPU: a GPU's kernels run later than they are
    /// launched.</exception>
    /// <exception cref="InvalidOperationException">The session is being measured already.</exception>
    public SessionProfile Profile(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (_device.Kind != "cpu")
        {
            throw new NotSupportedException(
                $"Session: expected a session on a CPU to be measured step by step, got one on {_device.Kind}; use the vendor's profiler there.");
        }

        double peak = _device.MeasurePeak();
        var recorder = new ProfileRecorder();
        if (Interlocked.CompareExchange(ref _observer, recorder, null) is not null)
        {
            throw new InvalidOperationException(
                "Session: the session is being measured already; measure one piece of work at a time.");
        }

        try
        {
            work();
        }
        finally
        {
            Volatile.Write(ref _observer, null);
        }

        return recorder.ToProfile(_device.Description, peak);
    }

    /// <summary>What a run costs by definition, for certain shapes of the inputs.</summary>
    internal OperatorCost Cost(params ReadOnlySpan<Shape> shapes)
    {
        using DeviceUse use = _device.Life.Enter();
        CachedPlan plan = _plans.Hold(shapes);
        plan.Constants.Dispose();
        OperatorCost[] costs = [.. plan.Plan.ForwardSteps.Select(step => step.Cost)];
        return new OperatorCost(costs.Sum(cost => cost.Flops), costs.Sum(cost => cost.Bytes));
    }

    /// <summary>Bytes of the arena of a run, for certain shapes of the inputs.</summary>
    internal long PeakBytes(params ReadOnlySpan<Shape> shapes)
    {
        using DeviceUse use = _device.Life.Enter();
        CachedPlan plan = _plans.Hold(shapes);
        plan.Constants.Dispose();
        return Math.Max(Planner.Alignment, plan.Plan.PeakBytes);
    }

    /// <summary>Who is told when each step ran; null for nobody.</summary>
    internal IStepObserver? Observer => Volatile.Read(ref _observer);

    /// <summary>Lets an observer be told of steps, on a CPU and unless another is; again is allowed.</summary>
    internal bool TryObserve(IStepObserver observer) => _device.Kind == "cpu"
        && (Observer == observer || Interlocked.CompareExchange(ref _observer, observer, null) is null);

    /// <summary>Tells an observer no longer.</summary>
    internal void StopObserving(IStepObserver observer)
    {
        if (Observer == observer)
        {
            Interlocked.CompareExchange(ref _observer, null, observer);
        }
    }

    /// <summary>
    /// Gives back the memory that is kept for calls to come; they take it again. <see cref="Device.Trim"/> does so for all
    /// sessions of a device.
    /// </summary>
    public void Trim()
    {
        TrimIdle();
    }

    /// <summary>As <see cref="Trim"/>; tells how many bytes of arenas went back.</summary>
    internal long TrimIdle()
    {
        long bytes = 0;
        while (TakeIdle() is { } context)
        {
            bytes += context.Bytes;
            context.Dispose();
        }

        _plans.Clear();
        return bytes;
    }

    /// <summary>Frees the parameters and everything else on the device. Calls that are still running finish first.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _device.Keepers.Remove(this);
        for (int i = 0; i < _idle.Length; i++)
        {
            _places.Wait();
        }

        try
        {
            Trim();
        }
        finally
        {
            if (_ownsStore)
            {
                _store.Dispose();
            }

            // Whoever waited meanwhile comes in and sees that the session is disposed.
            _places.Release(_idle.Length);
        }
    }

    private static ParameterStore Copy(IDevice device, Parameter[] parameters)
    {
        var store = new ParameterStore(device, parameters, isFrozen: true);
        try
        {
            store.CopyFrom(parameters);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>The shape of an output for certain input shapes.</summary>
    internal Shape OutputShape(int index, params ReadOnlySpan<Shape> shapes)
    {
        using DeviceUse use = _device.Life.Enter();
        CachedPlan plan = _plans.Hold(shapes);
        plan.Constants.Dispose();
        return plan.Plan.Values[_outputs[index]].Type.Shape;
    }

    /// <summary>Takes back a context whose run is over.</summary>
    internal void Return(SessionContext context)
    {
        int i = 0;
        while (i < _idle.Length && Interlocked.CompareExchange(ref _idle[i], context, null) is not null)
        {
            i++;
        }

        if (i == _idle.Length)
        {
            context.Dispose();
        }

        _budget?.Changed();
        _places.Release();
    }

    private static void Check(Graph graph, IReadOnlyList<(string Name, Value Value)> outputs)
    {
        if (graph.Mode != GraphMode.Inference)
        {
            throw new ArgumentException(
                "Session: expected a graph recorded for inference, got one for training; record it with GraphMode.Inference.");
        }

        if (outputs.Count == 0)
        {
            throw new ArgumentException("Session: expected at least one output, got none.");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string name, Value value) in outputs)
        {
            ArgumentNullException.ThrowIfNull(name, nameof(outputs));
            ArgumentNullException.ThrowIfNull(value, nameof(outputs));
            if (value.Graph != graph)
            {
                throw new ArgumentException($"Session: output '{name}' belongs to another graph.");
            }

            if (!names.Add(name))
            {
                throw new ArgumentException($"Session: two outputs are named '{name}'; give each its own name.");
            }
        }
    }

    private SessionContext? TakeIdle()
    {
        foreach (ref SessionContext? slot in _idle.AsSpan())
        {
            if (Volatile.Read(ref slot) is not null && Interlocked.Exchange(ref slot, null) is { } context)
            {
                return context;
            }
        }

        return null;
    }

    /// <summary>The input's shape, from the number of elements given: what the one symbol must be.</summary>
    private Shape ShapeOf(int length)
    {
        Shape shape = _inputs[0].Shape;
        long known = 1;
        int symbol = -1;
        for (int i = 0; i < shape.Rank; i++)
        {
            if (!Dim.IsSymbol(shape[i]))
            {
                known *= shape[i];
            }
            else if (symbol < 0)
            {
                symbol = i;
            }
            else
            {
                throw new InvalidOperationException(
                    $"Session: the shape {shape} of the input has several symbols, so its length does not tell them; use Begin.");
            }
        }

        if (symbol < 0)
        {
            return shape;
        }

        if (length == 0 || known == 0 || length % known != 0)
        {
            throw new ShapeException(
                $"Session: expected a multiple of {known} values for an input of shape {shape}, got {length}.");
        }

        Span<int> extents = stackalloc int[Shape.MaxRank];
        for (int i = 0; i < shape.Rank; i++)
        {
            extents[i] = i == symbol ? (int)(length / known) : shape[i];
        }

        return new Shape(extents[..shape.Rank]);
    }
}

/// <summary>An input or output of a session.</summary>
public sealed record SessionValue
{
    internal SessionValue(string name, TensorType type) => (Name, Type) = (name, type);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its element type and shape, with symbols where every call decides.</summary>
    public TensorType Type { get; }

    /// <summary>Its shape, with symbols where every call decides.</summary>
    public Shape Shape => Type.Shape;

    /// <summary>As in <c>image: Float32[N, 28, 28, 1]</c>.</summary>
    public override string ToString() => $"{Name}: {Type}";
}
