using System.Runtime.InteropServices;
using FastNN.Hosting.Tests.Models;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Ai;

/// <summary>Embeddings of texts and vectors through Microsoft.Extensions.AI.</summary>
public sealed class EmbeddingTests : ServingFixture
{
    private static readonly string[] Texts = ["one", "three", "a longer text than the others", "two"];

    [Test]
    public async Task A_text_is_the_mean_of_its_tokens([Values] bool normalize)
    {
        IHost host = await ServeAsync(options => options.Normalize = normalize);
        var generator = host.Services.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("texts");
        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(Texts);
        Assert.That(embeddings, Has.Count.EqualTo(Texts.Length));
        for (int i = 0; i < Texts.Length; i++)
        {
            float[][] rows = await RowsAsync(host, Tokens(Texts[i]));
            double[] expected = [.. Enumerable.Range(0, 4).Select(place => rows.Average(row => (double)row[place]))];
            double norm = normalize ? Math.Sqrt(expected.Sum(value => value * value)) : 1;
            Assert.That(
                embeddings[i].Vector.ToArray(), Is.EqualTo(expected.Select(value => value / norm)).Within(1e-6), Texts[i]);
        }

        Assert.That(embeddings.Usage!.InputTokenCount, Is.EqualTo(Texts.Sum(text => text.Length)));
        Assert.That(generator.GetService<EmbeddingGeneratorMetadata>()!.DefaultModelId, Is.EqualTo("texts"));
    }

    [Test]
    public async Task Long_texts_are_cut_and_the_first_token_may_stand_for_all()
    {
        IHost host = await ServeAsync(options =>
            (options.Normalize, options.MaxTokens, options.Pooling) = (false, 3, EmbeddingPooling.First));
        var generator = host.Services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(["three"]);
        Assert.That(embeddings[0].Vector.ToArray(), Is.EqualTo((await RowsAsync(host, Tokens("thr")))[0]).Within(1e-6));
        Assert.That(embeddings.Usage!.InputTokenCount, Is.EqualTo(3));
    }

    [Test]
    public async Task A_text_without_tokens_is_refused()
    {
        IHost host = await ServeAsync(null);
        var generator = host.Services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        InferenceException refusal = Assert.ThrowsAsync<InferenceException>(() => generator.GenerateAsync([""]))!;
        Assert.That(refusal.Message, Does.Contain("at least one token"));
    }

    [Test]
    public async Task Floats_are_embedded_in_any_number()
    {
        SaveMlp("vectors.safetensors", 7);
        IHost host = await StartAsync(add: models => models
            .AddModel("vectors", options => options.FromFile("vectors.safetensors"))
            .AddFloatEmbeddingGenerator("vectors", options => options.Normalize = false));
        var generator = host.Services.GetRequiredService<IEmbeddingGenerator<ReadOnlyMemory<float>, Embedding<float>>>();
        float[][] x = [.. Enumerable.Range(0, 150).Select(i => Inputs(1, seed: i))];
        GeneratedEmbeddings<Embedding<float>> embeddings =
            await generator.GenerateAsync(x.Select(row => (ReadOnlyMemory<float>)row));
        for (int i = 0; i < x.Length; i++)
        {
            Assert.That(embeddings[i].Vector.ToArray(), Is.EqualTo(Expected(7, x[i])).Within(1e-5), $"value {i}");
        }
    }

    private static int[] Tokens(string text) => [.. text.Select(letter => letter % 32)];

    private Task<IHost> ServeAsync(Action<EmbeddingOptions>? configure)
    {
        Symbol tokens = FastNN.Model.Input("tokens", [Dim.Named("T")], DType.Int32);
        var model = new Model(tokens, new FastNN.Embedding(32, 4).Apply(tokens));
        model.Build(seed: 3);
        model.Save(At("texts.safetensors"));
        return StartAsync(add: models => models
            .AddModel("texts", options => options.FromFile("texts.safetensors"))
            .AddEmbeddingGenerator("texts", Tokens, configure));
    }

    private static async Task<float[][]> RowsAsync(IHost host, int[] tokens)
    {
        using ModelCall call = Model(host, "texts").Begin();
        MemoryMarshal.AsBytes(tokens.AsSpan()).CopyTo(call.SetInput(0, [1, tokens.Length]));
        await call.RunAsync();
        return [.. Floats(call).Chunk(4)];
    }
}
