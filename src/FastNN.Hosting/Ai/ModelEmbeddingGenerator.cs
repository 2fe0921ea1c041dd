using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.Extensions.AI;

namespace FastNN.Hosting;

/// <summary>
/// Embeddings of a model. Each value is a call of its own, so that values of one shape are computed together, those of other
/// callers as well, and nothing is padded.
/// </summary>
/// <typeparam name="TInput">What is embedded.</typeparam>
/// <param name="model">The model.</param>
/// <param name="write">Sets the inputs of a call; gives the number of tokens, for the usage.</param>
/// <param name="settings">What becomes of the outputs.</param>
internal sealed class ModelEmbeddingGenerator<TInput>(
    IModel model, Func<IModel, ModelCall, TInput, int> write, EmbeddingOptions settings)
    : IEmbeddingGenerator<TInput, Embedding<float>>
{
    /// <summary>
    /// How many values are under way at once: enough for a full batch, and not all of a long list in the queue.
    /// </summary>
    private const int Together = 64;

    private readonly EmbeddingGeneratorMetadata _metadata = new("fastnn", providerUri: null, model.Name);

    /// <inheritdoc/>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<TInput> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var embeddings = new GeneratedEmbeddings<Embedding<float>>();
        long tokens = 0;
        foreach (TInput[] part in values.Chunk(Together))
        {
            Task<(Embedding<float> Embedding, int Tokens)>[] calls =
                [.. part.Select(value => Task.Run(() => EmbedAsync(value, cancellationToken), cancellationToken))];
            foreach ((Embedding<float> embedding, int count) in await Task.WhenAll(calls).ConfigureAwait(false))
            {
                embeddings.Add(embedding);
                tokens += count;
            }
        }

        embeddings.Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        return embeddings;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType == typeof(IModel) ? model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The model is the catalog's.
    }

    private async Task<(Embedding<float> Embedding, int Tokens)> EmbedAsync(TInput value, CancellationToken cancellationToken)
    {
        using ModelCall call = model.Begin();
        int tokens = write(model, call, value);
        await call.RunAsync(cancellationToken).ConfigureAwait(false);
        return (new Embedding<float>(Read(call)) { ModelId = model.Name, CreatedAt = DateTimeOffset.UtcNow }, tokens);
    }

    private float[] Read(ModelCall call)
    {
        int output = FindOutput();
        ReadOnlySpan<int> dimensions = call.OutputDimensions(output);
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(call.Output(output));
        int width = dimensions.Length > 0 ? dimensions[^1] : 0;
        if (dimensions.Length is not (2 or 3) || dimensions[0] != 1 || width == 0 || values.IsEmpty)
        {
            throw new InferenceException(
                InferenceFailure.InvalidInput,
                $"Model '{model.Name}': expected an output [1, D] or [1, T, D] to make an embedding of, "
                + $"got {InputRules.Text(dimensions)}.");
        }

        float[] vector = values[..width].ToArray();
        if (settings.Pooling == EmbeddingPooling.Mean && values.Length > width)
        {
            for (int first = width; first < values.Length; first += width)
            {
                TensorPrimitives.Add(vector, values.Slice(first, width), vector);
            }

            TensorPrimitives.Divide(vector, values.Length / width, vector);
        }

        float norm = settings.Normalize ? TensorPrimitives.Norm(vector) : 0;
        if (norm > 0)
        {
            TensorPrimitives.Divide(vector, norm, vector);
        }

        return vector;
    }

    private int FindOutput()
    {
        IReadOnlyList<ModelTensor> outputs = model.Outputs;
        for (int i = 0; i < outputs.Count; i++)
        {
            if ((settings.Output is null || outputs[i].Name == settings.Output) && outputs[i].DataType == TensorDataType.Float32)
            {
                return i;
            }
        }

        throw new InferenceException(
            InferenceFailure.InvalidInput,
            $"Model '{model.Name}': expected {(settings.Output is null ? "an output" : $"the output '{settings.Output}'")} "
            + $"of floats for embeddings, got {string.Join(", ", outputs.Select(output => $"'{output.Name}' {output.DataType}"))}.");
    }
}
