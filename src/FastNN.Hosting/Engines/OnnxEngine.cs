using FastNN.Cpu;
using FastNN.Onnx;

namespace FastNN.Hosting;

/// <summary>Computes calls of an ONNX file.</summary>
internal sealed class OnnxEngine : IModelEngine
{
    private readonly OnnxModel _model;
    private readonly OnnxSession _session;
    private readonly OnnxTensorCache _cache;

    // Where in the model's inputs each of the engine's stands: those with a default value are left to it.
    private readonly int[] _places;

    // Whether somebody ever listened to operators: only then is it looked for what observes them.
    private volatile bool _wasObserved;

    /// <param name="model">An open file, which the engine disposes.</param>
    /// <param name="device">Where to run.</param>
    /// <param name="maxPlans">How many sets of shapes are kept ready.</param>
    /// <exception cref="OnnxException">The file has operators that are not supported, or inputs or outputs that the protocol
    /// cannot carry.</exception>
    public OnnxEngine(OnnxModel model, Device device, int maxPlans)
    {
        _model = model;
        OnnxSignature signature = OnnxSignature.Of(model);
        (_places, IsBatchable) = (signature.Places, signature.IsBatchable);
        (Inputs, Outputs) = (signature.Inputs, signature.Outputs);
        Processor = device.Implementation as CpuCore;
        _session = model.Compile(device, new OnnxSessionOptions { MaxPlans = maxPlans });
        _cache = new OnnxTensorCache(_session, model.Inputs.Count, maxPlans);
    }

    /// <inheritdoc/>
    public string Platform => "onnx";

    /// <inheritdoc/>
    public CpuCore? Processor { get; }

    /// <inheritdoc/>
    public long ParameterCount => _model.ParameterCount;

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Inputs { get; }

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Outputs { get; }

    /// <inheritdoc/>
    public bool IsBatchable { get; }

    /// <inheritdoc/>
    public bool AllowsEmpty => true;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => [];

    /// <inheritdoc/>
    public void Execute(ReadOnlySpan<QueuedCall> batch, int rows, ref StageClock clock)
    {
        OnnxTensorCache.Shapes shapes = _cache.Find(this, batch, rows);
        OnnxTensorCache.Tensors tensors = shapes.Take();
        try
        {
            for (int i = 0; i < Inputs.Count; i++)
            {
                Write(batch, i, tensors.Inputs[_places[i]]!);
            }

            clock.InputsReady();
            if (shapes.OutputsAreKnown(tensors))
            {
                _session.Run(tensors.Inputs, tensors.Outputs);
                clock.Computed();
                for (int i = 0; i < Outputs.Count; i++)
                {
                    Read(batch, i, rows, tensors.Outputs[i]);
                }

                return;
            }

            // Where the host has a part, shapes may follow from values.
            IReadOnlyList<OnnxValue?> results = _session.Run(ByName(tensors.Inputs));
            clock.Computed();
            for (int i = 0; i < Outputs.Count; i++)
            {
                Read(batch, i, rows, results[i] as OnnxTensor ?? throw new OnnxException(
                    $"output '{Outputs[i].Name}': expected a tensor, got {results[i]?.ToString() ?? "no value"}"));
            }
        }
        finally
        {
            shapes.Give(tensors);
        }
    }

    /// <inheritdoc/>
    public Session? FindSession(ReadOnlySpan<QueuedCall> batch, int rows)
    {
        if (!_wasObserved)
        {
            if (!ServingTelemetry.Operators.HasListeners())
            {
                return null;
            }

            _wasObserved = true;
        }

        return _cache.FindSession(batch, rows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _model.Dispose();
    }

    /// <summary>A tensor for an input of all calls of a batch.</summary>
    internal OnnxTensor NewInput(ReadOnlySpan<QueuedCall> batch, int input, int rows)
    {
        Span<int> dimensions = stackalloc int[((ServedCall)batch[0]).Input(input).Dimensions.Length];
        BatchRows.Dimensions(batch, input, rows, dimensions);
        return OnnxTensor.Zeros(_model.Inputs[_places[input]].ElementType, dimensions.ToArray());
    }

    /// <summary>Where an input of the engine stands among the model's.</summary>
    internal int Place(int input) => _places[input];

    private Dictionary<string, OnnxValue> ByName(OnnxTensor?[] inputs)
    {
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

    private void Write(ReadOnlySpan<QueuedCall> batch, int input, OnnxTensor tensor)
    {
        if (tensor.ElementType == OnnxElementType.String)
        {
            Span<string> texts = tensor.Array<string>();
            foreach (QueuedCall call in batch)
            {
                texts = texts[TextElements.Read(((ServedCall)call).Input(input), Inputs[input].Name, texts)..];
            }

            return;
        }

        if (tensor.ElementType == OnnxElementType.Bool)
        {
            BatchRows.RequireTruthValues(batch, Inputs, input);
        }

        BatchRows.Gather(batch, input, tensor.Bytes());
    }

    private void Read(ReadOnlySpan<QueuedCall> batch, int output, int rows, OnnxTensor tensor)
    {
        if (EngineTypes.Of(tensor.ElementType) != Outputs[output].DataType
            || (batch.Length > 1 && (tensor.Rank == 0 || tensor.Dims[0] != rows)))
        {
            throw new OnnxException($"output '{Outputs[output].Name}': expected {rows} rows of "
                + $"{Outputs[output].DataType} as the file says, got {tensor}");
        }

        if (tensor.ElementType == OnnxElementType.String)
        {
            TextElements.Scatter(batch, output, rows, tensor);
            return;
        }

        BatchRows.Scatter(batch, output, rows, tensor.Dimensions, tensor.Bytes());
    }
}
