using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN.Explain;

/// <summary>
/// Explains a model's output by its input: gradients, SmoothGrad, integrated gradients, Grad-CAM and occlusion. For models of one
/// Float32 input and one Float32 output. It copies the parameters when it is made, as a <see cref="Predictor"/> does, computes
/// what inference computes (no dropout, running statistics) and never changes; calls from several threads run one after another.
/// <para>What is explained is one number of the output for each example, its target: for a classifier the class index, whose
/// score is a logit where the model ends without a softmax. Where an output has several axes, the target counts its elements in
/// row-major order. Arguments <c>targets</c> hold one target for each example, or one for all.</para>
/// </summary>
/// <example>
/// <code>
/// using var explainer = new ModelExplainer(model, device);
/// float[] map = explainer.Saliency(image, [7]);
/// </code>
/// </example>
public sealed partial class ModelExplainer : IDisposable
{
    private const int MaxPrograms = 4;

    private readonly IDevice _device;
    private readonly Layer _model;
    private readonly Preprocessing? _preprocessing;
    private readonly ParameterStore _store;
    private readonly Arena _arena;
    private readonly int _maxBatch;
    private readonly int _size;
    private readonly int _outputs;
    private readonly Lock _gate = new();
    private readonly List<Program> _programs = [];
    private bool _disposed;

    /// <summary>Makes an explainer with a copy of the model's present parameters.</summary>
    /// <param name="model">A built model with one input and one output.</param>
    /// <param name="device">Where to compute; it must outlive the explainer.</param>
    /// <param name="maxBatch">The most examples, or changed copies of examples, that are computed at once; default 64.</param>
    /// <param name="applyPreprocessing">Whether a <see cref="Model.Preprocessing"/> is part of what is explained, so that inputs
    /// are raw and attributions are theirs; default true.</param>
    /// <exception cref="InvalidOperationException">The model is not built, or has other inputs or outputs.</exception>
    /// <exception cref="ShapeException">The input has extents that calls decide.</exception>
    public ModelExplainer(Layer model, Device device, int maxBatch = 64, bool applyPreprocessing = true)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatch);
        IReadOnlyList<ModelInput> inputs = model.Signature
            ?? throw new InvalidOperationException(
                "ModelExplainer: the model is not built; call model.Build(shape of one example), or train or load it first.");
        if (inputs.Count != 1 || model.OutputNames.Count != 1 || inputs[0].Type != DType.Float32)
        {
            throw new InvalidOperationException(
                $"ModelExplainer: expected a model of one Float32 input and one output, it has {string.Join(", ", inputs)} and {model.OutputNames.Count} outputs; put the part to explain into a Model of its own.");
        }

        (InputShape, _device, _model, _maxBatch) = (inputs[0].Shape, device.Implementation, model, maxBatch);
        if (InputShape.IsSymbolic)
        {
            throw new ShapeException(
                $"ModelExplainer: expected an input whose shape is fixed, got {InputShape}; build the model for one shape.");
        }

        _preprocessing = applyPreprocessing ? (model as Model)?.Preprocessing : null;
        using DeviceUse use = _device.Life.Enter();
        Value output = Record(new Graph(GraphMode.Inference), 1).Output;
        OutputShape = output.Shape.Rank > 0 && output.Shape[0] == 1 && output.Type == DType.Float32
            ? output.Shape.DropFirst()
            : throw new InvalidOperationException(
                $"ModelExplainer: expected a Float32 output with the batch axis first, got {output.Type}{output.Shape} for one example.");
        (_size, _outputs) = (checked((int)InputShape.Count), checked((int)OutputShape.Count));
        Parameter[] parameters = [.. model.State];
        _arena = new Arena(_device);
        _store = new ParameterStore(_device, parameters);
        try
        {
            _store.CopyFrom(parameters);
        }
        catch
        {
            _store.Dispose();
            throw;
        }
    }

    private delegate void PointWriter(int point, Span<float> x);

    private delegate void PointReader(int point, ReadOnlySpan<float> output, ReadOnlySpan<float> gradient);

    /// <summary>The shape of one example's input.</summary>
    public Shape InputShape { get; }

    /// <summary>The shape of one example's output.</summary>
    public Shape OutputShape { get; }

    /// <summary>What the model gives for the targets.</summary>
    /// <param name="x">Examples, flattened one after the other.</param>
    /// <param name="targets">One target for each example, or one for all.</param>
    /// <returns>A number for each example.</returns>
    /// <exception cref="ShapeException">The length does not fit.</exception>
    /// <exception cref="ArgumentException">There are too few or too many targets, or one is out of range.</exception>
    public float[] Scores(ReadOnlySpan<float> x, ReadOnlySpan<int> targets)
    {
        (float[] examples, int count) = Examples(x);
        int[] chosen = Targets(targets, count);
        var scores = new float[count];
        Compute(
            count, withGradients: false, point => chosen[point], (point, to) => Example(examples, point).CopyTo(to),
            (point, output, _) => scores[point] = output[chosen[point]]);
        return scores;
    }

    /// <summary>The gradients of the targets' scores with respect to the input.</summary>
    /// <param name="x">Examples, flattened one after the other.</param>
    /// <param name="targets">One target for each example, or one for all.</param>
    /// <returns>As many numbers as there are inputs, with their signs.</returns>
    /// <exception cref="ShapeException">The length does not fit.</exception>
    /// <exception cref="ArgumentException">There are too few or too many targets, or one is out of range.</exception>
    public float[] Gradients(ReadOnlySpan<float> x, ReadOnlySpan<int> targets)
    {
        (float[] examples, int count) = Examples(x);
        int[] chosen = Targets(targets, count);
        var gradients = new float[examples.Length];
        Compute(
            count, withGradients: true, point => chosen[point], (point, to) => Example(examples, point).CopyTo(to),
            (point, _, gradient) => gradient.CopyTo(Example(gradients, point)));
        return gradients;
    }

    /// <summary>
    /// The magnitudes of the gradients: where a small change of the input changes the score most (Simonyan, Vedaldi and
    /// Zisserman, "Deep inside convolutional networks", 2013). <see cref="Attributions.MaxOverChannels"/> makes one number per
    /// pixel of them, as the paper does.
    /// </summary>
    /// <param name="x">Examples, flattened one after the other.</param>
    /// <param name="targets">One target for each example, or one for all.</param>
    /// <returns>As many numbers as there are inputs, none negative.</returns>
    /// <exception cref="ShapeException">The length does not fit.</exception>
    /// <exception cref="ArgumentException">There are too few or too many targets, or one is out of range.</exception>
    public float[] Saliency(ReadOnlySpan<float> x, ReadOnlySpan<int> targets)
    {
        float[] gradients = Gradients(x, targets);
        System.Numerics.Tensors.TensorPrimitives.Abs(gradients, gradients);
        return gradients;
    }

    /// <summary>Frees the parameters and everything else on the device.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _programs.ForEach(program => program.Model.Dispose());
            _programs.Clear();
            _arena.Dispose();
            _store.Dispose();
        }
    }

    /// <summary>The gradients of weighted sums of each example's outputs.</summary>
    /// <param name="x">Examples.</param>
    /// <param name="weights">A weight for each output of each example.</param>
    internal float[] WeightedGradients(float[] x, float[] weights)
    {
        var gradients = new float[x.Length];
        Compute(
            x.Length / _size, withGradients: true,
            (point, selector) => weights.AsSpan(point * _outputs, _outputs).CopyTo(selector),
            (point, to) => Example(x, point).CopyTo(to), (point, _, gradient) => gradient.CopyTo(Example(gradients, point)));
        return gradients;
    }

    /// <summary>All outputs of the examples.</summary>
    internal float[] Outputs(float[] x)
    {
        int count = x.Length / _size;
        var outputs = new float[count * _outputs];
        Compute(
            count, withGradients: false, _ => 0, (point, to) => Example(x, point).CopyTo(to),
            (point, output, _) => output.CopyTo(outputs.AsSpan(point * _outputs)));
        return outputs;
    }

    private Span<float> Example(float[] examples, int index) => examples.AsSpan(index * _size, _size);

    private void Compute(int count, bool withGradients, Func<int, int> target, PointWriter write, PointReader read) =>
        Compute(count, withGradients, (point, selector) => selector[target(point)] = 1, write, read);

    /// <summary>Computes any number of inputs, as many at once as fit into a batch.</summary>
    private void Compute(int count, bool withGradients, PointWriter select, PointWriter write, PointReader read)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using DeviceUse use = _device.Life.Enter();
            int most = Math.Min(count, _maxBatch);
            float[] x = new float[most * _size], outputs = new float[most * _outputs];
            float[] selectors = new float[most * _outputs], gradients = withGradients ? new float[most * _size] : [];
            for (int first = 0; first < count; first += most)
            {
                int batch = Math.Min(most, count - first);
                Array.Clear(selectors);
                for (int i = 0; i < batch; i++)
                {
                    write(first + i, x.AsSpan(i * _size, _size));
                    select(first + i, selectors.AsSpan(i * _outputs, _outputs));
                }

                Run(Find(batch, null), x.AsSpan(0, batch * _size), selectors.AsSpan(0, batch * _outputs), withGradients);
                Program program = _programs[^1];
                program.Model.Read(program.Output, outputs.AsSpan(0, batch * _outputs));
                if (withGradients)
                {
                    program.Model.ReadGradient(program.Input, gradients.AsSpan(0, batch * _size));
                }

                for (int i = 0; i < batch; i++)
                {
                    read(
                        first + i, outputs.AsSpan(i * _outputs, _outputs),
                        withGradients ? gradients.AsSpan(i * _size, _size) : default);
                }
            }
        }
    }

    private static void Run(Program program, ReadOnlySpan<float> x, ReadOnlySpan<float> selectors, bool withGradients)
    {
        program.Model.Write(program.Input, x);
        program.Model.Write(program.Selector, selectors);
        if (program.Added is { } added)
        {
            program.Model.Clear(added);
        }

        if (withGradients)
        {
            program.Model.Run();
        }
        else
        {
            program.Model.Forward();
        }
    }

    /// <summary>The program for a number of examples, made the last of the list.</summary>
    /// <param name="batch">How many examples.</param>
    /// <param name="layer">The layer whose output is wanted with its gradient, rather than the input's; null for none.</param>
    private Program Find(int batch, Layer? layer)
    {
        int at = _programs.FindIndex(
            program => program.Batch == batch && program.Layer == layer && program.Model.IsBound);
        Program found;
        if (at >= 0)
        {
            found = _programs[at];
            _programs.RemoveAt(at);
        }
        else
        {
            found = Make(batch, layer);
            Forget(program => !program.Model.IsBound);
            if (_programs.Count == MaxPrograms)
            {
                Forget(program => program == _programs[0]);
            }
        }

        _programs.Add(found);
        return found;
    }

    private void Forget(Predicate<Program> which)
    {
        foreach (Program program in _programs.FindAll(which))
        {
            program.Model.Dispose();
            _programs.Remove(program);
        }
    }

    private Program Make(int batch, Layer? layer)
    {
        Value? output = null, added = null;
        int applied = 0;
        var graph = new Graph(GraphMode.Inference)
        {
            Tap = layer is null ? null : (recorded, outputs) =>
            {
                if (recorded != layer)
                {
                    return outputs;
                }

                // The gradient that arrives at an input stays as it is, while that of a value between operators may be
                // overwritten as soon as it was read.
                applied++;
                output = outputs[0];
                added = output.Graph.Input(output.Shape, name: $"added{applied}");
                return [output + added, .. outputs.Skip(1)];
            },
        };
        (Value input, Value given) = Record(graph, batch);
        if (layer is not null && applied != 1)
        {
            throw new InvalidOperationException(
                $"ModelExplainer: expected a layer that the model applies once, {layer.GetType().Name} is applied {applied} times.");
        }

        Value selector = graph.Input(given.Shape, name: "selector");
        Value root = (given * selector).Sum();
        var model = new DifferentiatedModel(
            _store, _arena, graph, root, output is null ? [given] : [given, output], [added ?? input]);
        return new Program(batch, layer, model, input, given, selector) { LayerOutput = output, Added = added };
    }

    private (Value Input, Value Output) Record(Graph graph, int batch)
    {
        Value input = graph.Input(InputShape.Prepend(batch));
        return (input, _model.Apply(_preprocessing?.Record(input) ?? input));
    }

    private (float[] Examples, int Count) Examples(ReadOnlySpan<float> x) =>
        x.Length > 0 && x.Length % _size == 0
            ? (x.ToArray(), x.Length / _size)
            : throw new ShapeException(
                $"ModelExplainer: expected a multiple of {_size} values (examples of shape {InputShape}), got {x.Length}.");

    private int[] Targets(ReadOnlySpan<int> targets, int count)
    {
        if (targets.Length != 1 && targets.Length != count)
        {
            throw new ArgumentException(
                $"ModelExplainer: expected one target for each of {count} examples, or one for all, got {targets.Length}.",
                nameof(targets));
        }

        foreach (int target in targets)
        {
            if ((uint)target >= (uint)_outputs)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(targets), target, $"ModelExplainer: expected targets in 0..{_outputs - 1}, the output has shape {OutputShape}.");
            }
        }

        var chosen = new int[count];
        for (int i = 0; i < count; i++)
        {
            chosen[i] = targets[targets.Length == 1 ? 0 : i];
        }

        return chosen;
    }

    private sealed record Program(
        int Batch, Layer? Layer, DifferentiatedModel Model, Value Input, Value Output, Value Selector)
    {
        public Value? LayerOutput { get; init; }

        public Value? Added { get; init; }
    }
}
