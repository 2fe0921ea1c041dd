using System.Globalization;
using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN.Explain;

/// <summary>Runs a step operator by operator and looks at every number before and after.</summary>
internal sealed class NonFiniteSearch(Layer model, InspectedStep step)
{
    private const int MostFound = 20;

    private readonly Dictionary<object, string> _paths = LayerPaths.Of(model);
    private readonly List<NonFiniteOrigin> _found = [];

    /// <param name="x">The batch.</param>
    /// <param name="targets">Its targets where they are numbers.</param>
    public NonFiniteReport Run(ReadOnlySpan<float> x, ReadOnlySpan<float> targets)
    {
        Look(NonFinitePlace.Input, "input", new Shape(x.Length), x);
        Look(NonFinitePlace.Input, "target", new Shape(targets.Length), targets);
        foreach (Parameter parameter in step.Parameters)
        {
            Look(
                NonFinitePlace.Parameter, step.Names.GetValueOrDefault(parameter, parameter.Name), parameter.Shape,
                step.ReadParameter(parameter));
        }

        Executor executor = step.Step!.Executor;
        Forward(executor);
        float loss = step.Step.ReadRoot();
        if (_found.Count == 0)
        {
            Backward(executor);
        }

        return new NonFiniteReport(loss, _found);
    }

    private void Look(NonFinitePlace place, string name, Shape shape, ReadOnlySpan<float> values)
    {
        var found = Found.In(values);
        if (found.Count > 0)
        {
            Add(new NonFiniteOrigin(
                place, name, null, shape, found.First, found.Value, found.Count,
                $"{(place == NonFinitePlace.Input ? "" : "parameter ")}{name}"));
        }
    }

    private void Forward(Executor executor)
    {
        PlannedNode[] nodes = [.. executor.Plan.Nodes.Where(node => !node.Op.IsView)];
        ReadOnlySpan<(Operator Op, NodeTensors Tensors)> steps = executor.ForwardSteps;
        for (int i = 0; i < steps.Length; i++)
        {
            (Operator op, NodeTensors tensors) = steps[i];
            Range inputs = RangeOf(tensors.Inputs);
            op.Forward(step.Device, tensors);
            if (inputs.IsFinite)
            {
                LookAt(nodes[i], NonFinitePlace.Forward, "", tensors.Outputs, inputs, output => output == 0 ? "" : $" {output}");
            }
        }
    }

    private void Backward(Executor executor)
    {
        BackwardStep[] passes = [.. executor.Plan.Backward.Where(Executor.Runs)];
        ReadOnlySpan<(Operator Op, NodeTensors Tensors)> steps = executor.BackwardSteps;
        for (int i = 0; i < steps.Length; i++)
        {
            (Operator op, NodeTensors tensors) = steps[i];
            PlannedNode node = passes[i].Node;
            Range arriving = RangeOf(tensors.OutputGradients);
            op.Backward(step.Device, tensors);
            if (passes[i].Kind == PassKind.Backward && arriving.IsFinite)
            {
                LookAt(
                    node, NonFinitePlace.Backward, " backward, gradient of", tensors.InputGradients, arriving,
                    input => node.Inputs[input].Place.Parameter is { } parameter
                        ? $" {step.Names.GetValueOrDefault(parameter, parameter.Name)}"
                        : string.Create(CultureInfo.InvariantCulture, $" input {input}"));
            }
        }
    }

    private void LookAt(
        PlannedNode node, NonFinitePlace place, string what, Tensor?[] tensors, Range before, Func<int, string> nameOf)
    {
        for (int i = 0; i < tensors.Length; i++)
        {
            if (tensors[i] is not { } tensor || Read(tensor) is not { } values)
            {
                continue;
            }

            var found = Found.In(values);
            if (found.Count > 0)
            {
                string? path = node.Layer is { } layer ? _paths.GetValueOrDefault(layer) : null;
                string where = path is null ? "" : path.Length == 0 ? " in the model itself" : $" in layer {path}";
                Add(new NonFiniteOrigin(
                    place, node.Op.Name, path, tensor.Shape, found.First, found.Value, found.Count,
                    $"{node.Op.Name}{where}{what}{nameOf(i)}, from numbers in {before}"));
            }
        }
    }

    private void Add(NonFiniteOrigin origin)
    {
        if (_found.Count < MostFound)
        {
            _found.Add(origin);
        }
    }

    /// <summary>The elements of a tensor of floats; null of others.</summary>
    private float[]? Read(Tensor tensor)
    {
        if (tensor.Type is not (DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16))
        {
            return null;
        }

        var bytes = new byte[tensor.Bytes];
        step.Device.Download(tensor, bytes);
        return tensor.Type switch
        {
            DType.Float32 => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            DType.Float64 => [.. MemoryMarshal.Cast<byte, double>(bytes).ToArray().Select(Narrow)],
            DType.Float16 => [.. MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(value => (float)value)],
            _ => [.. MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Select(
                value => BitConverter.UInt32BitsToSingle((uint)value << 16))],
        };
    }

    /// <summary>Finite where the double is, whatever its size.</summary>
    private static float Narrow(double value) =>
        double.IsFinite(value) ? (float)Math.Clamp(value, float.MinValue, float.MaxValue) : (float)value;

    private Range RangeOf(Tensor?[] tensors)
    {
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        bool isFinite = true;
        foreach (Tensor? tensor in tensors)
        {
            foreach (float value in tensor is null ? [] : Read(tensor) ?? [])
            {
                isFinite &= float.IsFinite(value);
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
            }
        }

        return new Range(low, high, isFinite);
    }

    private readonly record struct Range(float Low, float High, bool IsFinite)
    {
        public override string ToString() => Low > High
            ? "nothing"
            : string.Create(CultureInfo.InvariantCulture, $"{Low:g4}..{High:g4}");
    }

    private readonly record struct Found(long Count, int First, float Value)
    {
        public static Found In(ReadOnlySpan<float> values)
        {
            var found = new Found(0, -1, 0);
            for (int i = 0; i < values.Length; i++)
            {
                if (!float.IsFinite(values[i]))
                {
                    found = found.Count == 0 ? new Found(1, i, values[i]) : found with { Count = found.Count + 1 };
                }
            }

            return found;
        }
    }
}

/// <summary>Where numbers that are not finite come from.</summary>
public enum NonFinitePlace
{
    /// <summary>The batch has them: its inputs or targets.</summary>
    Input,

    /// <summary>A parameter or buffer has them.</summary>
    Parameter,

    /// <summary>An operator makes them in the forward pass.</summary>
    Forward,

    /// <summary>An operator makes them in the backward pass.</summary>
    Backward,
}

/// <summary>Something that brings numbers which are not finite into a step.</summary>
public sealed class NonFiniteOrigin
{
    private readonly string _what;

    internal NonFiniteOrigin(
        NonFinitePlace place, string name, string? layer, Shape shape, int element, float value, long count, string what) =>
        (Place, Name, Layer, Shape, Element, Value, Count, _what) = (place, name, layer, shape, element, value, count, what);

    /// <summary>Where they come from.</summary>
    public NonFinitePlace Place { get; }

    /// <summary>The operator, the parameter, "input" or "target".</summary>
    public string Name { get; }

    /// <summary>The path of the innermost layer that recorded the operator; null where no layer did, as for the loss.</summary>
    public string? Layer { get; }

    /// <summary>The shape of the tensor that has them.</summary>
    public Shape Shape { get; }

    /// <summary>The first of them, counted in row-major order.</summary>
    public int Element { get; }

    /// <summary>What it is: NaN or an infinity.</summary>
    public float Value { get; }

    /// <summary>How many there are in the tensor.</summary>
    public long Count { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{_what}: element {Element} of {Shape} is {Value}, {Count} of {Shape.Count} are not finite");
}

/// <summary>What a search for numbers that are not finite found.</summary>
public sealed class NonFiniteReport
{
    internal NonFiniteReport(float loss, IReadOnlyList<NonFiniteOrigin> origins) => (Loss, Origins) = (loss, origins);

    /// <summary>The loss with its penalties.</summary>
    public float Loss { get; }

    /// <summary>
    /// The input, the parameters and the operators that bring such numbers in though all that they are made from is finite, in
    /// the order in which they are met; 20 at most. The backward pass is looked at where forward has none. Empty where all is
    /// finite.
    /// </summary>
    public IReadOnlyList<NonFiniteOrigin> Origins { get; }

    /// <summary>The origins, a line each.</summary>
    public override string ToString() => Origins.Count == 0
        ? string.Create(CultureInfo.InvariantCulture, $"all numbers are finite, the loss is {Loss}")
        : string.Join('\n', Origins);
}
