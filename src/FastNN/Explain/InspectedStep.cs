using System.Globalization;
using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN.Explain;

/// <summary>
/// A training step on a copy of a model's present parameters, which changes nothing: forward and backward as a trainer computes
/// them, dropout and batch statistics included. The caller is inside the device.
/// </summary>
internal sealed class InspectedStep : IDisposable
{
    private readonly IDevice _device;
    private readonly ParameterStore _store;
    private readonly GradientStore _gradients;
    private readonly DeviceBlock _counter;
    private readonly Arena _arena;
    private readonly StepRecordingParts _parts;

    /// <param name="model">A built model of one input and one output.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="loss">The objective.</param>
    /// <param name="x">A batch of inputs.</param>
    /// <param name="targets">The bytes of its targets.</param>
    /// <param name="classIndices">Whether these are class indices.</param>
    /// <param name="options">From what random numbers are drawn.</param>
    /// <param name="taps">Whether the outputs of layers can be read, with their gradients. Where they cannot, the step has the
    /// operators that a trainer's has.</param>
    public InspectedStep(
        Layer model, Device device, Loss loss, ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices,
        InspectionOptions options, bool taps)
    {
        _device = device.Implementation;
        int batch = Check(model, loss, x, classIndices);
        var builder = new StepBuilder(GraphMode.Training, options.Seed);
        Dictionary<object, string> paths = LayerPaths.Of(model);
        if (taps)
        {
            builder.Graph.Tap = (layer, outputs) => Tap((Layer)layer, outputs, paths);
        }

        TrainingProgram.Record(builder, model, loss, model.ExampleShape!.Value, batch: batch);
        builder.Graph.Tap = null;
        _parts = new StepRecordingParts(builder.Inputs[0].Value, builder.Inputs[1].Value, builder.Root(_ => true));
        if (targets.Length != _parts.Target.TensorType.Bytes)
        {
            throw new ShapeException(
                $"TrainingDiagnostics: expected targets of shape {_parts.Target.Shape} for a batch of {batch}, got {targets.Length / sizeof(float)} values.");
        }

        Names = model.NamedParameters.ToDictionary(named => named.Parameter, named => named.Name);
        Parameter[] parameters = [.. builder.Graph.Parameters];
        _store = new ParameterStore(_device, parameters);
        _arena = new Arena(_device);
        _counter = new DeviceBlock(_device, 2 * sizeof(int));
        _gradients = new GradientStore(
            _store,
            [
                [
                    .. parameters.Where(
                        parameter => parameter.IsTrainable && !parameter.IsBuffer && Names.ContainsKey(parameter)),
                ],
            ]);
        try
        {
            _store.CopyFrom(parameters);
            var counter = new Tensor(_counter.Address, DType.Int32, new Shape(2));
            _device.Upload(MemoryMarshal.AsBytes([(int)options.Step, (int)(options.Step >> 32)]), counter);
            Step = new DifferentiatedModel(
                _store, _arena, builder.Graph, _parts.Root, [.. Taps.Select(tap => tap.Output)],
                [.. Taps.Select(tap => tap.Added)], _gradients, counter);
            Step.Write(_parts.Input, x);
            Step.Write(_parts.Target, targets);
            Taps.ForEach(tap => Step.Clear(tap.Added));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The layers whose outputs can be read, in the order in which they are computed.</summary>
    public List<(string Path, Layer Layer, Value Output, Value Added)> Taps { get; } = [];

    public DifferentiatedModel? Step { get; }

    /// <summary>The parameters' names in the model.</summary>
    public Dictionary<Parameter, string> Names { get; }

    public IDevice Device => _device;

    /// <summary>All parameters and buffers that the step uses.</summary>
    public IEnumerable<Parameter> Parameters => _store.Parameters;

    public bool IsTrained(Parameter parameter) => _gradients.Contains(parameter);

    public float[] ReadParameter(Parameter parameter) => Read(_store.Value(parameter));

    public float[] ReadGradient(Parameter parameter) => Read(_gradients.Gradient(parameter));

    public void Dispose()
    {
        Step?.Dispose();
        _gradients.Dispose();
        _counter.Dispose();
        _arena.Dispose();
        _store.Dispose();
    }

    private static int Check(Layer model, Loss loss, ReadOnlySpan<float> x, bool classIndices)
    {
        Shape example = model.ExampleShape
            ?? throw new InvalidOperationException(
                "TrainingDiagnostics: expected a built model of one input; call model.Build(shape of one example) first.");
        if (loss.ClassIndices != classIndices)
        {
            throw new ArgumentException(
                $"{loss.Name}: expected {(loss.ClassIndices ? "class indices (int)" : "float")} targets, got {(classIndices ? "class indices (int)" : "float targets")}.");
        }

        if (example.IsSymbolic || x.Length == 0 || x.Length % example.Count != 0)
        {
            throw new ShapeException(
                $"TrainingDiagnostics: expected a multiple of the values of an example of shape {example}, got {x.Length}.");
        }

        return (int)(x.Length / example.Count);
    }

    private IReadOnlyList<Value> Tap(Layer layer, IReadOnlyList<Value> outputs, Dictionary<object, string> paths)
    {
        Value output = outputs[0];
        if (layer.Children.Count > 0 || output.Type != DType.Float32 || !paths.TryGetValue(layer, out string? path))
        {
            return outputs;
        }

        // A zero that is added takes the gradient that arrives at the output; that of the output itself may be overwritten as
        // soon as it was read.
        Value added = output.Graph.Input(
            output.Shape, name: string.Create(CultureInfo.InvariantCulture, $"added{Taps.Count}"));
        int before = Taps.Count(tap => tap.Layer == layer);
        string name = before == 0 ? path : string.Create(CultureInfo.InvariantCulture, $"{path} ({before + 1})");
        Taps.Add((name, layer, output, added));
        return [output + added, .. outputs.Skip(1)];
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Count];
        _device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private sealed record StepRecordingParts(Value Input, Value Target, Value Root);
}
