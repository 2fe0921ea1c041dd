using FastNN.Cpu;
using FastNN.Graphs;
using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx;

/// <summary>Options of a session.</summary>
public sealed record OnnxSessionOptions
{
    private readonly int _maxPlans = 16;
    private readonly long _memoryLimit = long.MaxValue;
    private readonly IReadOnlySet<string>? _passes;

    /// <summary>How many recordings, one for each set of input shapes, are kept; the least recently used goes. Default
    /// 16.</summary>
    public int MaxPlans
    {
        get => _maxPlans;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxPlans));
            _maxPlans = value;
        }
    }

    /// <summary>
    /// The most bytes that the arenas of the session's plans hold together: what lies between operators, one for each call at a
    /// time, and of mixed models the values that stages hand on besides. Weights, which recordings share, are not part of it,
    /// nor are inputs and outputs. Where a call needs more, the plans that were not used for the longest time are dropped, and
    /// where calls under way hold it all, the call waits for one of them. Inputs whose plan alone is larger are refused. Under a
    /// limit calls of mixed models run one at a time. Default no limit.
    /// </summary>
    public long MemoryLimit
    {
        get => _memoryLimit;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MemoryLimit));
            _memoryLimit = value;
        }
    }

    /// <summary>The graph passes that run before the model is recorded, by names of <see cref="OnnxPasses.Names"/>; null for all,
    /// an empty set for none. Default all.</summary>
    /// <exception cref="ArgumentException">There is no pass of that name.</exception>
    public IReadOnlySet<string>? Passes
    {
        get => _passes;
        init
        {
            OnnxPasses.Require(value ?? (IEnumerable<string>)[]);
            _passes = value;
        }
    }
}

/// <summary>
/// An ONNX model that runs on a device of the engine. For every set of input shapes its graph is recorded once, with what follows
/// from constants and shapes computed beforehand. Nodes that the engine does not have in their form run on the host, as
/// <see cref="OnnxModel.Evaluate"/> runs them, and what stands between them on the engine. Thread-safe: callers share nothing
/// that is written, and a call whose shapes are known takes no lock.
/// </summary>
public sealed partial class OnnxSession : IDisposable
{
    private readonly OnnxModel _model;
    private readonly HostGraph _graph;
    private readonly ExternalData? _external;
    private readonly Device _device;
    private readonly OnnxSessionOptions _options;
    private readonly Lock _lock = new();
    private readonly ConstantPool _constants = new();
    private readonly ArenaBudget _budget;

    // Held by a mixed call under a limit: two that hold values and wait for arenas would wait for each other.
    private readonly Lock _mixed = new();
    private SessionProgram[] _programs = [];
    private long _clock;
    private volatile bool _disposed;

    internal OnnxSession(OnnxModel model, HostGraph graph, ExternalData? external, Device device, OnnxSessionOptions options)
    {
        _model = model;
        _graph = graph;
        _external = external;
        _device = device;
        _options = options;
        _budget = new ArenaBudget(options.MemoryLimit, GiveWay);
    }

    /// <summary>Why the host has a part in a run: the first node that the engine lacks; null where the engine runs
    /// all.</summary>
    /// <param name="inputs">A value for every input that has no default, by name.</param>
    public string? HostReason(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        _model.Check(inputs);
        return Tensors(inputs) is { } tensors ? HostReason(tensors) : "a sequence or an optional as input";
    }

    /// <summary>Why the host has a part in a run: the first node that the engine lacks; null where the engine runs
    /// all.</summary>
    /// <param name="inputs">The inputs in the order of <see cref="OnnxModel.Inputs"/>; null takes an input's default.</param>
    public string? HostReason(params ReadOnlySpan<OnnxTensor?> inputs) => Find(inputs).Missing;

    /// <summary>What runs these inputs on the engine; null where they were not met yet, or the host has a part.</summary>
    internal Session? FindSession(params ReadOnlySpan<OnnxTensor?> inputs) => FindMade(inputs)?.Session;

    /// <summary>The weights that recordings share.</summary>
    internal ConstantPool Constants => _constants;

    /// <summary>How many nodes of the main graph the host ran in the last run for these inputs, and how many there are; (0, 0)
    /// where the engine runs all.</summary>
    internal (int Host, int All) CountHostNodes(params ReadOnlySpan<OnnxTensor?> inputs) => Find(inputs).MixedCount;

    /// <summary>Measures every step of some runs on the engine.</summary>
    /// <param name="inputs">A value for every input that has no default, by name.</param>
    /// <param name="runs">How many runs, behind one that is not measured. Default 10.</param>
    /// <returns>Where the time went.</returns>
    /// <exception cref="OnnxException">An input does not fit, or the host has a part in a run.</exception>
    /// <exception cref="NotSupportedException">The session is not on a CPU.</exception>
    public SessionProfile Profile(IReadOnlyDictionary<string, OnnxValue> inputs, int runs = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(runs);
        Session session = OnEngine(inputs).Session!;
        Run(inputs);
        return session.Profile(() =>
        {
            for (int i = 0; i < runs; i++)
            {
                Run(inputs);
            }
        });
    }

    /// <summary>How many additions and multiplications of floats a run has, as a direct computation has them.</summary>
    /// <param name="inputs">A value for every input that has no default, by name; only their shapes matter.</param>
    /// <exception cref="OnnxException">An input does not fit, or the host has a part in a run.</exception>
    public double CountFlops(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        SessionProgram program = OnEngine(inputs);
        Shape[] shapes = [.. program.Recording!.Inputs.Select(input => new Shape(input.Dims))];
        return program.Slices * program.Session!.Cost(shapes).Flops;
    }

    private SessionProgram OnEngine(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        _model.Check(inputs);
        return Tensors(inputs) is { } tensors && Find(tensors) is { Session: not null } program
            ? program
            : throw new OnnxException(
                $"OnnxSession: expected a model that runs on the engine as a whole; the host has a part in this one, because of "
                + $"{HostReason(inputs)}.");
    }

    /// <summary>Computes the outputs.</summary>
    /// <param name="inputs">A value for every input that has no default, by name.</param>
    /// <returns>The outputs in order.</returns>
    /// <exception cref="OnnxException">An input is missing, unknown or of another type or shape, an operator does not take what
    /// it is given, or the plan is larger than <see cref="OnnxSessionOptions.MemoryLimit"/>.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public IReadOnlyList<OnnxValue?> Run(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ObjectDisposedException.ThrowIf(_disposed, this);
        _model.Check(inputs);
        if (Tensors(inputs) is not { } tensors)
        {
            return _model.Evaluate(inputs);
        }

        SessionProgram program = Find(tensors);
        if (program.Outputs is not { } sources)
        {
            return RunMixed(program, tensors, out _);
        }

        var results = Array.ConvertAll(sources, NewOutput);
        Run(program, tensors, results);
        return [.. results.Zip(sources, static (result, source) => result ?? (OnnxValue?)source)];
    }

    /// <summary>
    /// Computes the outputs into tensors that are there already, such as those of <see cref="CreateOutputs"/>. Allocates nothing
    /// once it has met the inputs' shapes, where the engine runs the model.
    /// </summary>
    /// <param name="inputs">The inputs in the order of <see cref="OnnxModel.Inputs"/>; null takes an input's default.</param>
    /// <param name="outputs">Receive the outputs, in the order of <see cref="OnnxModel.Outputs"/>.</param>
    /// <exception cref="OnnxException">An input or output is missing or of another type or shape, an operator does not take
    /// what it is given, or the plan is larger than <see cref="OnnxSessionOptions.MemoryLimit"/>.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public void Run(ReadOnlySpan<OnnxTensor?> inputs, ReadOnlySpan<OnnxTensor> outputs)
    {
        SessionProgram program = Find(inputs);
        if (program.Outputs is { } sources)
        {
            CheckOutputs(sources, outputs);
            Run(program, inputs, outputs);
            return;
        }

        OnnxValue?[] results = RunMixed(program, inputs, out _);
        CheckOutputs([.. results], outputs);
        for (int i = 0; i < outputs.Length; i++)
        {
            var result = (OnnxTensor)results[i]!;
            Array.Copy(result.Data, outputs[i].Data, result.Count);
        }
    }

    /// <summary>Tensors of the types and shapes that the outputs have for certain inputs.</summary>
    /// <param name="inputs">The inputs in the order of <see cref="OnnxModel.Inputs"/>; null takes an input's default.</param>
    /// <returns>A tensor for each output.</returns>
    /// <exception cref="OnnxException">An input is missing or of another type or shape, or an output is not a tensor.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public OnnxTensor[] CreateOutputs(params ReadOnlySpan<OnnxTensor?> inputs)
    {
        SessionProgram program = Find(inputs);
        object?[] sources = program.Outputs ?? RunMixed(program, inputs, out _);
        return Array.ConvertAll(sources, source => NewOutput(source)
            ?? throw new OnnxException("OnnxSession: an output is a sequence or an optional; use Run with names."));
    }

    /// <summary>
    /// Gives back the memory that is kept for calls to come, and all plans; they are made again. <see cref="Device.Trim"/> does
    /// so for all sessions of a device.
    /// </summary>
    public void Trim()
    {
        foreach (SessionProgram program in Volatile.Read(ref _programs))
        {
            program.Trim();
        }
    }

    /// <summary>Frees what is on the device. Calls under way finish first.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (SessionProgram program in _programs)
            {
                program.Dispose();
            }

            Volatile.Write(ref _programs, []);
        }
    }

    private void Run(SessionProgram program, ReadOnlySpan<OnnxTensor?> inputs, ReadOnlySpan<OnnxTensor?> outputs)
    {
        while (true)
        {
            try
            {
                program.Run(inputs, outputs);
                return;
            }
            catch (ObjectDisposedException) when (!_disposed && Array.IndexOf(Volatile.Read(ref _programs), program) < 0)
            {
                // Dropped by another caller's new shapes between being found and being entered.
                program = Find(inputs);
            }
        }
    }

    private OnnxValue?[] RunMixed(SessionProgram program, ReadOnlySpan<OnnxTensor?> inputs, out long peak)
    {
        OnnxTensor?[] given = inputs.ToArray();
        while (true)
        {
            try
            {
                if (_options.MemoryLimit == long.MaxValue)
                {
                    return program.RunMixed(inputs, () => Described(given), out peak);
                }

                lock (_mixed)
                {
                    return program.RunMixed(inputs, () => Described(given), out peak);
                }
            }
            catch (ObjectDisposedException) when (!_disposed && Array.IndexOf(Volatile.Read(ref _programs), program) < 0)
            {
                program = Find(inputs);
            }
        }
    }

    /// <summary>The type and extents of an output; undefined where it is not a tensor.</summary>
    private static (OnnxElementType Type, int[] Dims) TypeOf(object? source) => source switch
    {
        Traced traced => (traced.Type, traced.Dims),
        OnnxTensor constant => (constant.ElementType, constant.Dims),
        _ => (OnnxElementType.Undefined, []),
    };

    private static OnnxTensor? NewOutput(object? source) =>
        TypeOf(source) is (not OnnxElementType.Undefined and var type, var dims) ? OnnxTensor.Zeros(type, dims) : null;

    private void CheckOutputs(object?[] sources, ReadOnlySpan<OnnxTensor> outputs)
    {
        bool fits = sources.Length == outputs.Length;
        for (int i = 0; fits && i < sources.Length; i++)
        {
            (OnnxElementType type, int[] dims) = TypeOf(sources[i]);
            fits = outputs[i] is { } output && output.ElementType == type && output.Dims.AsSpan().SequenceEqual(dims);
        }

        if (!fits)
        {
            throw new OnnxException(
                $"OnnxSession: expected the outputs {Signature(Array.ConvertAll(sources, NewOutput))}, got "
                + $"{Signature(outputs.ToArray())}; CreateOutputs makes them.");
        }

        string Signature(OnnxTensor?[] tensors) => string.Join(
            ", ", tensors.Select((tensor, i) => $"{(i < _model.Outputs.Count ? _model.Outputs[i].Name : "?")}: {tensor}"));
    }

    /// <summary>The inputs in order; null where one is not a tensor.</summary>
    private OnnxTensor?[]? Tensors(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        var tensors = new OnnxTensor?[_model.Inputs.Count];
        for (int i = 0; i < tensors.Length; i++)
        {
            OnnxValue? value = inputs.GetValueOrDefault(_model.Inputs[i].Name);
            tensors[i] = value as OnnxTensor;
            if (value is not null && tensors[i] is null)
            {
                return null;
            }
        }

        return tensors;
    }

    private Dictionary<string, OnnxValue> ByName(ReadOnlySpan<OnnxTensor?> inputs)
    {
        if (inputs.Length != _model.Inputs.Count)
        {
            throw new OnnxException(
                $"OnnxSession: expected {_model.Inputs.Count} inputs ({string.Join(", ", _model.Inputs)}), got {inputs.Length}.");
        }

        var named = new Dictionary<string, OnnxValue>(StringComparer.Ordinal);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is { } value)
            {
                named.Add(_model.Inputs[i].Name, value);
            }
        }

        return named;
    }

    private SessionProgram Find(ReadOnlySpan<OnnxTensor?> inputs)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (FindMade(inputs) is { } found)
        {
            return found;
        }

        // Said before the lock: a wrong input costs other callers nothing.
        _model.Check(ByName(inputs));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (FindMade(inputs) is { } made)
            {
                return made;
            }

            SessionProgram program = Make(inputs);
            SessionProgram[] programs = _programs;
            if (programs.Length == _options.MaxPlans)
            {
                SessionProgram oldest = programs.MinBy(candidate => candidate.LastUse)!;
                programs = [.. programs.Where(kept => kept != oldest)];
                Volatile.Write(ref _programs, programs);
                oldest.Dispose();
            }

            program.LastUse = Interlocked.Increment(ref _clock);
            Volatile.Write(ref _programs, [.. programs, program]);
            return program;
        }
    }

    private SessionProgram? FindMade(ReadOnlySpan<OnnxTensor?> inputs)
    {
        if (inputs.Length != _model.Inputs.Count)
        {
            return null;
        }

        foreach (SessionProgram program in Volatile.Read(ref _programs))
        {
            if (program.IsFor(inputs))
            {
                program.LastUse = Interlocked.Increment(ref _clock);
                return program;
            }
        }

        return null;
    }

    // A single integer steers a network more often than it is computed with: a sampling rate, a length, a flag.
    private static bool MaySteer(OnnxTensor tensor) =>
        tensor is { Count: 1, ElementType: OnnxElementType.Int32 or OnnxElementType.Int64 or OnnxElementType.Bool };

    /// <summary>
    /// Records the model for these inputs: with every value to come, and where that leaves a branch or a shape open, with single
    /// integers as constants, so that there is a recording for each of their values.
    /// </summary>
    private SessionProgram Make(ReadOnlySpan<OnnxTensor?> inputs)
    {
        var none = new OnnxTensor?[inputs.Length];
        SessionProgram program = Make(inputs, none);
        OnnxTensor?[] steering = Array.ConvertAll(
            inputs.ToArray(), input => input is not null && MaySteer(input) ? Copy(input) : null);
        if (program.Outputs is not null || !Array.Exists(steering, input => input is not null))
        {
            return program;
        }

        // Where the host has a part anyway, one recording serves all values.
        SessionProgram steered = Make(inputs, steering);
        (SessionProgram kept, SessionProgram dropped) = steered.Outputs is null ? (program, steered) : (steered, program);
        dropped.Dispose();
        return kept;
    }

    private OnnxTensor? Default(int slot) => _graph.Constants.FirstOrDefault(constant => constant.Slot == slot)?.Value;

    private static OnnxTensor Copy(OnnxTensor tensor) => new(tensor.ElementType, tensor.Dims, (Array)tensor.Data.Clone());

    private SessionProgram Make(ReadOnlySpan<OnnxTensor?> inputs, OnnxTensor?[] steering)
    {
        HostGraph graph = Passed(inputs, examples: -1, steering);
        try
        {
            if (Record(graph, inputs, steering, examples: -1, out Tracer tracer) is not { } recording)
            {
                return Mixed(inputs, graph, tracer.Missing?.Definition.Title ?? "nothing for the engine to compute");
            }

            if (Sliced(inputs, steering, recording) is var (part, slices))
            {
                return new SessionProgram(
                    inputs, steering, recording.Outputs, part, Compile(part, inputs), Pool, slices);
            }

            return new SessionProgram(
                inputs, steering, recording.Outputs, recording, Compile(recording, inputs), null, slices: 1);
        }
        catch (ShapeException exception)
        {
            // What the engine refuses the host may know; if it does not either, its message names the node.
            return Mixed(inputs, graph, exception.Message);
        }
    }

    private SessionProgram Mixed(ReadOnlySpan<OnnxTensor?> inputs, HostGraph graph, string missing) => new(
        inputs, new OnnxTensor?[inputs.Length], missing, graph,
        new MixedPrograms(_device, _constants, _external, _options.MaxPlans, _budget, _options.MemoryLimit));

    private WorkerPool? Pool => _device.Implementation is CpuDevice { Threads: > 1 } cpu ? cpu.Pool : null;

    /// <summary>The graph behind the passes for inputs of these shapes.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="examples">What their first extents are to be; negative for what they are.</param>
    /// <param name="steering">Inputs whose values are taken as constants; null for the others.</param>
    private HostGraph Passed(ReadOnlySpan<OnnxTensor?> inputs, int examples, OnnxTensor?[] steering)
    {
        var extents = new int[]?[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            extents[i] = inputs[i] is null ? null : DimsOf(inputs[i]!, examples, steering[i]);
        }

        return _model.Optimized(_options.Passes, extents, steering) ?? _graph;
    }

    private static int[] DimsOf(OnnxTensor input, int examples, OnnxTensor? steering) =>
        examples >= 0 && steering is null ? [examples, .. input.Dims[1..]] : input.Dims;

    /// <summary>Records the model; null where the engine lacks a node, or has nothing to compute.</summary>
    /// <param name="graph">The graph for these shapes.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="steering">Inputs whose values are taken as constants; null for the others.</param>
    /// <param name="examples">What the inputs' first extents are to be; negative for what they are.</param>
    /// <param name="tracer">Knows what is missing.</param>
    private Tracer.Recording? Record(
        HostGraph graph, ReadOnlySpan<OnnxTensor?> inputs, OnnxTensor?[] steering, int examples, out Tracer tracer)
    {
        var types = new (OnnxElementType Type, int[] Dims)[inputs.Length];
        var known = new OnnxTensor?[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            types[i] = inputs[i] is { } input
                ? (input.ElementType, DimsOf(input, examples, steering[i]))
                : (OnnxElementType.Undefined, []);
            known[i] = inputs[i] is null ? Default(_graph.Inputs[i]) : steering[i];
        }

        tracer = new Tracer(graph, _external, _constants);
        Tracer.Recording? recording = tracer.Record(types, known);
        return recording is not null && Array.Exists(recording.Outputs, output => output is Traced) ? recording : null;
    }

    /// <summary>
    /// The model recorded for a few examples of the batch, and how many times it is run: where examples do not know of each other
    /// and fewer at a time are faster. Null where all are computed at once.
    /// </summary>
    private (Tracer.Recording Part, int Slices)? Sliced(
        ReadOnlySpan<OnnxTensor?> inputs, OnnxTensor?[] steering, Tracer.Recording whole)
    {
        if (_device.Implementation is not CpuDevice || whole.Inputs.Length == 0
            || whole.Inputs[0].Dims is not [> 1 and var examples, ..]
            || !Array.TrueForAll(whole.Inputs, input => input.Rank > 0 && input.Dims[0] == examples)
            || !ExampleSlices.AreIndependent(whole.Graph, [.. Results(whole).Select(result => result.Value)], examples))
        {
            return null;
        }

        int slice = ExampleSlices.Best(whole.Graph, examples);
        if (slice == examples || Record(Passed(inputs, slice, steering), inputs, steering, slice, out _) is not { } part
            || !ExampleSlices.AreIndependent(part.Graph, [.. Results(part).Select(result => result.Value)], slice))
        {
            return null;
        }

        for (int i = 0; i < part.Outputs.Length; i++)
        {
            if (part.Outputs[i] is not Traced { Dims: [var few, .. var rest] }
                || whole.Outputs[i] is not Traced { Dims: [var all, .. var same] }
                || few != slice || all != examples || !rest.AsSpan().SequenceEqual(same))
            {
                return null;
            }
        }

        return (part, examples / slice);
    }

    private static (string Name, Value Value)[] Results(Tracer.Recording recording) =>
        [.. recording.Outputs.OfType<Traced>().Select((output, i) => ($"output{i}", output.Plain))];
}
