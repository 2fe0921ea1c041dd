using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;

namespace FastNN.Onnx;

/// <summary>Options of a session.</summary>
public sealed record OnnxSessionOptions
{
    private readonly int _maxPlans = 16;

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
}

/// <summary>
/// An ONNX model that runs on a device of the engine. For every set of input shapes its graph is recorded once, with what follows
/// from constants and shapes computed beforehand; a model with nodes that the engine does not have in their form runs on the host
/// as <see cref="OnnxModel.Evaluate"/> does. Thread-safe.
/// </summary>
public sealed class OnnxSession : IDisposable
{
    private readonly OnnxModel _model;
    private readonly HostGraph _graph;
    private readonly ExternalData? _external;
    private readonly Device _device;
    private readonly OnnxSessionOptions _options;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Program> _programs = new(StringComparer.Ordinal);
    private long _clock;
    private bool _disposed;

    internal OnnxSession(OnnxModel model, HostGraph graph, ExternalData? external, Device device, OnnxSessionOptions options)
    {
        _model = model;
        _graph = graph;
        _external = external;
        _device = device;
        _options = options;
    }

    /// <summary>A recording for certain shapes; no session where the host runs it.</summary>
    private sealed class Program(Session? session, Tracer.Recording? recording, int[] inputs, string? missing) : IDisposable
    {
        public Session? Session => session;

        public Tracer.Recording? Recording => recording;

        /// <summary>Which of the model's inputs the session's are.</summary>
        public int[] Inputs => inputs;

        /// <summary>The node that the engine lacks.</summary>
        public string? Missing => missing;

        public long LastUse { get; set; }

        public void Dispose() => session?.Dispose();
    }

    /// <summary>Why a set of inputs runs on the host: the first node that the engine lacks; null where the engine runs
    /// it.</summary>
    /// <param name="inputs">A value for every input that has no default, by name.</param>
    public string? HostReason(IReadOnlyDictionary<string, OnnxValue> inputs) => Find(inputs) is var program ? program.Missing
        : null;

    /// <summary>Computes the outputs.</summary>
    /// <param name="inputs">A value for every input that has no default, by name.</param>
    /// <returns>The outputs in order.</returns>
    /// <exception cref="OnnxException">An input is missing, unknown or of another type or shape, or an operator does not take
    /// what
    /// it is given.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public IReadOnlyList<OnnxValue?> Run(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        Program program = Find(inputs);
        if (program.Session is not { } session)
        {
            return _model.Evaluate(inputs);
        }

        Tracer.Recording recording = program.Recording!;
        var shapes = new Shape[program.Inputs.Length];
        for (int i = 0; i < shapes.Length; i++)
        {
            shapes[i] = new Shape(recording.Inputs[i].Dims);
        }

        using SessionRun run = session.Begin(shapes);
        for (int i = 0; i < shapes.Length; i++)
        {
            Write(run, i, (OnnxTensor)inputs[_model.Inputs[program.Inputs[i]].Name]);
        }

        run.Compute();
        var outputs = new OnnxValue?[recording.Outputs.Length];
        for (int i = 0, traced = 0; i < outputs.Length; i++)
        {
            outputs[i] = recording.Outputs[i] is Traced output ? Read(run, traced++, output) : (OnnxValue?)recording.Outputs[i];
        }

        return outputs;
    }

    private static void Write(SessionRun run, int index, OnnxTensor value)
    {
        switch (value.ElementType)
        {
            case OnnxElementType.Float32:
                run.Write<float>(index, value.Array<float>());
                break;
            case OnnxElementType.Bool:
                run.Write<bool>(index, value.Array<bool>());
                break;
            default:
                long[] numbers = ((OnnxTensor)Numbers.Convert(value, OnnxElementType.Int64)).Array<long>();
                run.Write<int>(index, Array.ConvertAll(numbers, number => number is >= int.MinValue and <= int.MaxValue
                    ? (int)number
                    : throw new OnnxException($"OnnxSession: expected integers of 32 bits, got {number}.")));
                break;
        }
    }

    private static OnnxTensor Read(SessionRun run, int index, Traced output)
    {
        var result = OnnxTensor.Zeros(output.Type, output.Dims);
        switch (output.Type)
        {
            case OnnxElementType.Float32:
                run.Read<float>(index, result.Array<float>());
                return result;
            case OnnxElementType.Bool:
                run.Read<bool>(index, result.Array<bool>());
                return result;
            case OnnxElementType.Int64 when output.Plain.TensorType.Type == DType.Int64:
                run.Read<long>(index, result.Array<long>());
                return result;
            default:
                var numbers = new int[result.Count];
                run.Read<int>(index, numbers);
                return Numbers.Convert(new OnnxTensor(OnnxElementType.Int32, output.Dims, numbers), output.Type);
        }
    }

    private Program Find(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ObjectDisposedException.ThrowIf(_disposed, this);
        _model.Check(inputs);
        var key = new System.Text.StringBuilder();
        foreach (OnnxValueInfo input in _model.Inputs)
        {
            OnnxValue? value = inputs.GetValueOrDefault(input.Name);
            key.Append(value?.ToString() ?? "none").Append(';');
            if (value is OnnxTensor tensor && IsKnown(tensor))
            {
                key.Append(Numbers.Convert(tensor, OnnxElementType.Int64).Data.GetValue(0)).Append(';');
            }
        }

        lock (_lock)
        {
            if (!_programs.TryGetValue(key.ToString(), out Program? program))
            {
                program = Make(inputs);
                while (_programs.Count >= _options.MaxPlans)
                {
                    string oldest = _programs.MinBy(entry => entry.Value.LastUse).Key;
                    _programs.Remove(oldest, out Program? old);
                    old!.Dispose();
                }

                _programs.Add(key.ToString(), program);
            }

            program.LastUse = ++_clock;
            return program;
        }
    }

    // A single integer steers a network more often than it is computed with: a sampling rate, a length, a flag.
    private static bool IsKnown(OnnxTensor tensor) =>
        tensor is { Count: 1, ElementType: OnnxElementType.Int32 or OnnxElementType.Int64 or OnnxElementType.Bool };

    private Program Make(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        var types = new List<(OnnxElementType, int[])>();
        var known = new List<OnnxTensor?>();
        var places = new List<int>();
        for (int i = 0; i < _model.Inputs.Count; i++)
        {
            switch (inputs.GetValueOrDefault(_model.Inputs[i].Name))
            {
                case OnnxTensor tensor:
                    types.Add((tensor.ElementType, tensor.Dims));
                    known.Add(IsKnown(tensor) ? tensor : null);
                    if (!IsKnown(tensor))
                    {
                        places.Add(i);
                    }

                    break;
                case null when _model.Inputs[i].HasDefault:
                    types.Add((OnnxElementType.Undefined, []));
                    known.Add(_graph.Constants.First(constant => constant.Slot == _graph.Inputs[i]).Value);
                    break;
                default:
                    return new Program(null, null, [], "a sequence or an optional as input");
            }
        }

        var tracer = new Tracer(_graph, _external);
        try
        {
            Tracer.Recording? recording = tracer.Record(types, known);
            if (recording is null || !recording.Outputs.Any(output => output is Traced))
            {
                return new Program(null, null, [], tracer.Missing?.Definition.Title ?? "nothing for the engine to compute");
            }

            (string, Value)[] outputs =
                [.. recording.Outputs.OfType<Traced>().Select((output, i) => ($"output{i}", output.Plain))];
            return new Program(recording.Graph.Compile(_device, outputs), recording, [.. places], null);
        }
        catch (ShapeException exception)
        {
            // What the engine refuses the host may know; if it does not either, its message names the node.
            return new Program(null, null, [], exception.Message);
        }
    }

    /// <summary>Frees what is on the device. Not to be called while a run is under way.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (Program program in _programs.Values)
            {
                program.Dispose();
            }

            _programs.Clear();
        }
    }
}
