using System.Numerics.Tensors;
using FastNN.Data;

namespace FastNN.Explain;

/// <summary>How examples are compared.</summary>
public enum Distance
{
    /// <summary>The length of the difference.</summary>
    Euclidean,

    /// <summary>1 less the cosine of the angle: 0 for the same direction, 2 for the opposite, 1 where one is all zeros.</summary>
    Cosine,
}

/// <summary>
/// The examples of a dataset that are nearest to a given one, by their features or by what a layer of a model makes of them:
/// which training examples a prediction rests on. The dataset is embedded once. Any number of threads may search.
/// </summary>
public sealed class NearestExamples : IDisposable
{
    private readonly Session? _session;
    private readonly Shape _input;
    private readonly Distance _distance;
    private readonly float[] _embeddings;
    private readonly int _maxBatch;
    private readonly int _size;

    /// <summary>By the features themselves.</summary>
    /// <param name="data">Where to search.</param>
    /// <param name="distance">How examples are compared; default Euclidean.</param>
    public NearestExamples(Dataset data, Distance distance = Distance.Euclidean)
    {
        ArgumentNullException.ThrowIfNull(data);
        (_input, _distance, _size, Count) = (new Shape(data.ExampleShape), distance, data.ExampleSize, data.Count);
        _embeddings = data.Features();
        Normalize(_embeddings);
    }

    /// <summary>By the output of a layer.</summary>
    /// <param name="model">A built model of one Float32 input; its present parameters are copied.</param>
    /// <param name="device">Where to compute; it must outlive this.</param>
    /// <param name="data">Where to search.</param>
    /// <param name="layer">The path of a layer as in parameter names: often the one before the last.</param>
    /// <param name="distance">How outputs of the layer are compared; default cosine.</param>
    /// <param name="maxBatch">The most examples that are computed at once; default 256.</param>
    /// <exception cref="ArgumentException">No layer has this path.</exception>
    /// <exception cref="InvalidOperationException">The model is not built, has other inputs, or applies the layer more than
    /// once.</exception>
    /// <exception cref="ShapeException">The model takes other examples than the dataset has, or the layer's output does not
    /// belong to single examples.</exception>
    public NearestExamples(
        Layer model, Device device, Dataset data, string layer, Distance distance = Distance.Cosine, int maxBatch = 256)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatch);
        (_input, _distance, _maxBatch, Count) = (new Shape(data.ExampleShape), distance, maxBatch, data.Count);
        _session = Record(model, device, layer, _input, out _size);
        try
        {
            _embeddings = Embed(data.Features());
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>How many examples there are to find.</summary>
    public int Count { get; }

    /// <summary>The nearest examples, the nearest first; of equally near ones the first in the dataset comes first.</summary>
    /// <param name="x">One example.</param>
    /// <param name="count">How many; all where the dataset has fewer.</param>
    /// <returns>Their places in the dataset with their distances.</returns>
    /// <exception cref="ShapeException">The length is not that of one example.</exception>
    public IReadOnlyList<NearExample> Find(ReadOnlySpan<float> x, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        if (x.Length != _input.Count)
        {
            throw new ShapeException($"NearestExamples: expected one example of shape {_input}, got {x.Length} values.");
        }

        float[] wanted = x.ToArray();
        if (_session is null)
        {
            Normalize(wanted);
        }
        else
        {
            wanted = Embed(wanted);
        }

        var found = new NearExample[Count];
        for (int i = 0; i < found.Length; i++)
        {
            ReadOnlySpan<float> other = _embeddings.AsSpan(i * _size, _size);
            found[i] = new NearExample(i, _distance == Distance.Cosine
                ? 1 - TensorPrimitives.Dot(wanted, other)
                : TensorPrimitives.Distance(wanted, other));
        }

        // The sort is stable, so that the order of equally near examples is that of the dataset.
        return [.. found.OrderBy(example => example.Distance).Take(count)];
    }

    /// <summary>Frees what is on the device.</summary>
    public void Dispose() => _session?.Dispose();

    private static Session Record(Layer model, Device device, string path, Shape example, out int size)
    {
        IReadOnlyList<ModelInput> inputs = model.Signature
            ?? throw new InvalidOperationException(
                "NearestExamples: the model is not built; call model.Build(shape of one example), or train or load it first.");
        if (inputs.Count != 1 || inputs[0].Type != DType.Float32)
        {
            throw new InvalidOperationException(
                $"NearestExamples: expected a model of one Float32 input, it has {string.Join(", ", inputs)}.");
        }

        Layer layer = LayerPaths.Find(model, path, nameof(NearestExamples));
        Value? output = null;
        int applied = 0;
        var graph = new Graph(GraphMode.Inference)
        {
            Tap = (recorded, outputs) =>
            {
                if (recorded == layer)
                {
                    applied++;
                    output ??= outputs[0];
                }

                return outputs;
            },
        };
        Value input = graph.Input(example.Prepend(Dim.Batch));
        if (inputs[0].Shape.Rank != example.Rank
            || Enumerable.Range(0, example.Rank).Any(i => !Dim.IsSymbol(inputs[0].Shape[i]) && inputs[0].Shape[i] != example[i]))
        {
            throw new ShapeException(
                $"NearestExamples: expected examples of shape {inputs[0].Shape}, as the model takes, the dataset has {example}.");
        }

        model.Apply([(model as Model)?.Preprocessing?.Record(input) ?? input]);
        if (applied != 1)
        {
            throw new InvalidOperationException(
                $"NearestExamples: expected a layer that the model applies once, '{path}' is applied {applied} times.");
        }

        if (output!.Shape.Rank < 2 || output.Shape[0] != Dim.Batch || output.Shape.DropFirst().IsSymbolic
            || output.Type != DType.Float32)
        {
            throw new ShapeException(
                $"NearestExamples: expected a layer that gives Float32 values for each example, '{path}' gives {output.Type}{output.Shape}.");
        }

        size = checked((int)output.Shape.DropFirst().Count);
        return graph.Compile(device, [("embedding", output)]);
    }

    private float[] Embed(float[] x)
    {
        int example = (int)_input.Count, count = x.Length / example;
        var embeddings = new float[checked(count * _size)];
        for (int first = 0; first < count; first += _maxBatch)
        {
            int batch = Math.Min(_maxBatch, count - first);
            _session!.Run(x.AsSpan(first * example, batch * example), embeddings.AsSpan(first * _size, batch * _size));
        }

        Normalize(embeddings);
        return embeddings;
    }

    /// <summary>For cosines, gives each row the length 1.</summary>
    private void Normalize(float[] rows)
    {
        if (_distance != Distance.Cosine)
        {
            return;
        }

        for (int first = 0; first < rows.Length; first += _size)
        {
            Span<float> row = rows.AsSpan(first, _size);
            float norm = TensorPrimitives.Norm(row);
            if (norm > 0)
            {
                TensorPrimitives.Divide(row, norm, row);
            }
        }
    }
}

/// <summary>An example of a dataset and how far it is.</summary>
/// <param name="Example">Its place in the dataset.</param>
/// <param name="Distance">Its distance.</param>
public readonly record struct NearExample(int Example, float Distance);
