using System.Globalization;
using FastNN.Graphs;
using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;

namespace FastNN.Onnx;

/// <summary>What a session's plans need and hold.</summary>
public sealed partial class OnnxSession
{
    private OnnxMemoryPlan? _memoryPlan;

    /// <summary>
    /// Bytes of the arena of one call, as a formula in the symbols of the inputs' extents, such as <c>401,408 + 3,072 batch</c>.
    /// It is made when it is first asked for, by planning a few sets of extents, which computes nothing and allocates nothing on
    /// the device; <see cref="PlanMemory"/> is for models that have to be told more. A mixed model is run instead, on zeros: what
    /// its stages hold at most, arenas and values, for zeros.
    /// </summary>
    /// <exception cref="OnnxException">The extents alone do not say how the model runs.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public OnnxMemoryPlan MemoryPlan => _memoryPlan ??= PlanMemory(new Dictionary<string, OnnxValue>());

    /// <summary>Bytes that the arenas of the session's plans and the values between stages hold at this moment.</summary>
    public long PlanBytes => _budget.Held;

    /// <summary>
    /// Bytes of the arena of one call with such inputs; of one slice where a batch is computed in slices. Of a mixed model the
    /// most bytes at a time, of a stage's arena and of the values between stages: it is run, since its shapes may follow from
    /// values.
    /// </summary>
    /// <param name="inputs">A value for every input that has no default, by name; only their shapes matter unless the model is
    /// mixed.</param>
    /// <exception cref="OnnxException">An input does not fit, is no tensor, or the plan is larger than
    /// <see cref="OnnxSessionOptions.MemoryLimit"/>.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public long PeakBytes(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        _model.Check(inputs);
        OnnxTensor?[] tensors = Tensors(inputs)
            ?? throw new OnnxException("OnnxSession: expected tensors to plan memory, got a sequence or an optional.");
        SessionProgram program = Find(tensors);
        if (program.Recording is { } recording)
        {
            return PeakBytes(recording);
        }

        RunMixed(program, tensors, out long peak);
        return peak;
    }

    /// <summary>As <see cref="MemoryPlan"/>, with what the file alone does not say.</summary>
    /// <param name="inputs">
    /// Values by name for inputs whose values steer the model (a single integer: a sampling rate, a flag), that have a default,
    /// or whose extents the file leaves open without a name; those keep the extents of the value that is given. Extents that have
    /// a name are symbols all the same. What is not given and has no name is a symbol as well, <c>input[axis]</c>.
    /// </param>
    /// <exception cref="OnnxException">The model does not take such extents.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public OnnxMemoryPlan PlanMemory(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ObjectDisposedException.ThrowIf(_disposed, this);
        string? unknown = inputs.Keys.FirstOrDefault(name => !_model.Inputs.Any(input => input.Name == name));
        if (unknown is not null)
        {
            throw new OnnxException(
                $"OnnxSession: there is no input '{Formats.Quote.Text(unknown)}'; the inputs are "
                + $"{string.Join(", ", _model.Inputs)}.");
        }

        OpenInput?[] open = [.. _model.Inputs.Select(input => OpenInput.Of(input, inputs.GetValueOrDefault(input.Name)))];
        string[] symbols = [.. open.OfType<OpenInput>().SelectMany(input => input.Symbols).Distinct(StringComparer.Ordinal)];
        string? reason = null;
        return MemoryFit.Of(symbols, extents => PeakBytes(open, symbols, extents, out reason))
            ?? throw new OnnxException(
                "OnnxSession: expected a model whose inputs' extents say how it runs, to plan its memory; "
                + $"{reason ?? "it takes no multiples of a number"}. PlanMemory takes what the file does not say.");
    }

    /// <summary>The bytes for these extents; null where the model does not run for them.</summary>
    private long? PeakBytes(OpenInput?[] open, string[] symbols, int[] extents, out string? reason)
    {
        OnnxTensor?[] inputs = Array.ConvertAll(open, input => input?.With(symbols, extents));
        OnnxTensor?[] none = new OnnxTensor?[inputs.Length], steering = Array.ConvertAll(open, input => input?.Steering);
        try
        {
            Tracer.Recording? recording = Record(Passed(inputs, -1, none), inputs, none, examples: -1, out _)
                ?? (Array.Exists(steering, value => value is not null)
                    ? Record(Passed(inputs, -1, steering), inputs, steering, examples: -1, out _)
                    : null);
            reason = null;
            return recording is null ? MixedPeakBytes(open, inputs) : PeakBytes(recording);
        }
        catch (Exception exception) when (exception is ShapeException or OnnxException)
        {
            reason = exception.Message;
            return null;
        }
    }

    /// <summary>What a mixed model's stages hold at most for inputs of these extents, whose values are zeros or those
    /// given.</summary>
    private long MixedPeakBytes(OpenInput?[] open, OnnxTensor?[] inputs)
    {
        OnnxTensor?[] values = [.. inputs.Zip(open, (input, its) => input is null ? null : its!.Given is { } given
            && given.Dims.AsSpan().SequenceEqual(input.Dims) ? given : OnnxTensor.Zeros(input.ElementType, input.Dims))];
        HostGraph graph = Passed(values, -1, new OnnxTensor?[values.Length]);

        // A budget of its own: what is found out beforehand is not refused.
        using var programs = new MixedPrograms(
            _device, _constants, _external, maxPlans: 1, new ArenaBudget(long.MaxValue, static () => false), long.MaxValue);
        programs.Run(graph, [.. values], () => Described(values), out long peak);
        return peak;
    }

    /// <summary>The inputs' types and shapes, as messages list them.</summary>
    private string Described(ReadOnlySpan<OnnxTensor?> inputs) => string.Join(
        ", ", inputs.ToArray().Zip(_model.Inputs, (value, input) => $"{input.Name}: {value}"));

    private long PeakBytes(Tracer.Recording recording) => Math.Max(
        Planner.Alignment,
        Compiler.Compile(
            _device.Implementation, recording.Graph, [.. Results(recording).Select(result => result.Value)]).PeakBytes);

    /// <summary>The engine's session of a recording, within the limit.</summary>
    private Session Compile(Tracer.Recording recording, ReadOnlySpan<OnnxTensor?> inputs)
    {
        if (_options.MemoryLimit < long.MaxValue && PeakBytes(recording) is var bytes && bytes > _options.MemoryLimit)
        {
            throw new OnnxException(string.Create(
                CultureInfo.InvariantCulture,
                $"OnnxSession: expected a plan of at most {_options.MemoryLimit:N0} bytes (MemoryLimit), got {bytes:N0} bytes for {Described(inputs)}; run fewer examples at a time, or raise the limit."));
        }

        return recording.Graph.Compile(_device, Results(recording), new SessionOptions { Budget = _budget });
    }

    /// <summary>Gives back the idle arenas of the plan that was not used for the longest time; false where there are
    /// none.</summary>
    private bool GiveWay()
    {
        foreach (SessionProgram program in Volatile.Read(ref _programs).OrderBy(program => program.LastUse))
        {
            if (program.TrimIdle() > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An input whose extents are numbers and symbols.</summary>
    /// <param name="Type">Its element type.</param>
    /// <param name="Dims">Its extents; 0 for a symbol.</param>
    /// <param name="Names">The symbols, by axis.</param>
    /// <param name="Given">Its value; null where none is given.</param>
    private sealed record OpenInput(OnnxElementType Type, int[] Dims, string?[] Names, OnnxTensor? Given)
    {
        public IEnumerable<string> Symbols => Names.OfType<string>();

        /// <summary>Its value, where that may steer the model.</summary>
        public OnnxTensor? Steering => Given is not null && MaySteer(Given) ? Given : null;

        /// <summary>What the file says of an input, and a value where one is given; null for one that takes its
        /// default.</summary>
        public static OpenInput? Of(OnnxValueInfo input, OnnxValue? value)
        {
            var tensor = value as OnnxTensor;
            if (value is null && input.HasDefault)
            {
                return null;
            }

            if ((value is not null && (tensor is null || !input.Accepts(value))) || (tensor is null && input.Dimensions is null))
            {
                throw new OnnxException(
                    $"OnnxSession: expected a tensor for the input {input} to plan its memory, got "
                    + $"{value?.ToString() ?? "none"}.");
            }

            int rank = tensor?.Rank ?? input.Dimensions!.Count;
            var dims = new int[rank];
            var names = new string?[rank];
            for (int axis = 0; axis < rank; axis++)
            {
                string extent = input.Dimensions?[axis] ?? "?";
                if (!int.TryParse(extent, NumberStyles.None, CultureInfo.InvariantCulture, out dims[axis]))
                {
                    bool isNamed = extent is not ("?" or "");
                    dims[axis] = isNamed ? 0 : tensor?.Dims[axis] ?? 0;
                    names[axis] = isNamed ? extent : dims[axis] > 0 ? null : $"{input.Name}[{axis}]";
                }
            }

            return new OpenInput(tensor?.ElementType ?? input.ElementType, dims, names, tensor);
        }

        /// <summary>A tensor without values, of the shape that it has for these extents.</summary>
        public OnnxTensor With(string[] symbols, int[] extents) => new(
            Type,
            [.. Dims.Zip(Names, (extent, name) => name is null ? extent : extents[Array.IndexOf(symbols, name)])],
            Array.Empty<byte>());
    }
}
