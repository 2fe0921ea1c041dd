using System.Runtime.InteropServices;
using FastNN.Cli.Recipes;
using FastNN.Data;
using FastNN.Onnx;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Models;

/// <summary>The code of docs/serving.md, compiled and run as it stands there.</summary>
public sealed class ServingPageTests : PageFixture
{
    [Test]
    public async Task The_code_runs()
    {
        var network = new Sequential(new Dense(5, Activation.ReLU), new Dense(3));
        network.Build(new Shape(4), seed: 1);
        network.ExportOnnx("digits.onnx");
        network.Save("pets.safetensors", new SaveOptions { ClassNames = ["cat", "dog", "hamster"] });
        float[] image = [1, 0, 0.5f, 0.25f];
        await ServeAsync(image);
        Directory.CreateDirectory("models/digits/1");
        network.ExportOnnx("models/digits/1/model.onnx");
        await ServeFolderAsync();
        await ServeTextAsync(new Letters());
        await ServeSpeakerAsync();
    }

    [Test]
    public void Every_block_stands_in_this_file() => Assert.That(PageCode.Missing("serving.md", count: 7), Is.Empty);

    private static async Task ServeAsync(float[] image)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Services.AddFastNN()
            .AddModel("digits", options => options.FromFile("digits.onnx"))
            .AddModel("pets", options => options.FromFile("pets.safetensors"));
        using IHost host = builder.Build();
        await host.StartAsync();                      // loads the models and warms them up

        var digits = host.Services.GetRequiredKeyedService<IPredictor<float[], float[]>>("digits");
        float[] scores = await digits.PredictAsync(image);

        var pets = host.Services.GetRequiredKeyedService<IPredictor<float[], ClassPrediction>>("pets");
        ClassPrediction pet = await pets.PredictAsync(image);
        Console.WriteLine($"{pet.Label}, {pet.Probability:P0}");
        Assert.That(pet.Index, Is.EqualTo(Array.IndexOf(scores, scores.Max())));
        Assert.That(pet.Label, Is.AnyOf("cat", "dog", "hamster"));
        Assert.That(await CallAsync(host, image), Is.EqualTo(scores));
        await host.StopAsync();
    }

    private static async Task<float[]> CallAsync(IHost host, float[] image)
    {
        IModel model = host.Services.GetRequiredKeyedService<IModel>("digits");
        using ModelCall call = model.Begin();
        MemoryMarshal.AsBytes(image.AsSpan()).CopyTo(call.SetInput(0, [1, image.Length]));
        await call.RunAsync();
        ReadOnlySpan<float> output = MemoryMarshal.Cast<byte, float>(call.Output(0));
        return output.ToArray();
    }

    private static async Task ServeTextAsync(Letters tokenizer)
    {
        Symbol tokens = Model.Input("tokens", [Dim.Named("T")], DType.Int32);
        Symbol rows = new LearnedPositions(64).Apply(new FastNN.Embedding(Letters.Count, 12).Apply(tokens));
        rows = new TransformerEncoder(
            new TransformerEncoderLayer(12, 3, 16) { Causal = CausalMask.UpperLeft }).Apply(rows);
        var network = new Model(tokens, new Dense(Letters.Count).Apply(rows));
        network.Build(seed: 1);
        network.Save("writer.safetensors");
        network.Save("sentences.safetensors");
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Services.AddFastNN()
            .AddModel("sentences", options => options.FromFile("sentences.safetensors"))
            .AddEmbeddingGenerator("sentences", text => tokenizer.Encode(text), options => options.MaxTokens = 128)
            .AddChatClient("writer", options =>
            {
                options.File = "writer.safetensors";
                options.Encode = text => tokenizer.Encode(text);
                options.Decode = tokens => tokenizer.Decode(tokens);
                options.Context = 64;
            });
        using IHost host = builder.Build();
        await host.StartAsync();
        var sentences = host.Services.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("sentences");
        GeneratedEmbeddings<Embedding<float>> embeddings = await sentences.GenerateAsync(["a cat", "a dog"]);

        var writer = host.Services.GetRequiredKeyedService<IChatClient>("writer");
        var chat = new ChatOptions { Temperature = 0.8f, TopK = 40, MaxOutputTokens = 20 };
        await foreach (ChatResponseUpdate update in writer.GetStreamingResponseAsync("once upon", chat))
        {
            Console.Write(update.Text);
        }

        Assert.That(embeddings.Select(embedding => embedding.Dimensions), Is.EqualTo(new[] { Letters.Count, Letters.Count }));
        await host.StopAsync();
    }

    private static async Task ServeSpeakerAsync()
    {
        CharacterVocabulary known = CharacterVocabulary.Of(["Fellow-Citizens of the Senate"]);
        var gpt = new CharacterGpt(known.Count, context: 128, width: 24, depth: 2, heads: 3);
        Symbol text = Model.Input("characters", [Dim.Named("T")], DType.Int32);
        new Model(text, gpt.Apply(text)).Build(seed: 1);
        Directory.CreateDirectory("gpt");
        gpt.ToModel().Save("gpt/model.safetensors");
        File.WriteAllText("gpt/characters.txt", known.Characters);
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        CharacterVocabulary characters = CharacterVocabulary.OfCharacters(File.ReadAllText("gpt/characters.txt"));
        builder.Services.AddFastNN().AddChatClient("speaker", options =>
        {
            options.File = "gpt/model.safetensors";
            options.Encode = characters.Encode;
            options.Decode = symbols => characters.Decode([.. symbols]);
            options.Context = 128;
            options.MaxOutputTokens = 80;
        });
        using IHost host = builder.Build();
        await host.StartAsync();
        var speaker = host.Services.GetRequiredKeyedService<IChatClient>("speaker");
        var chat = new ChatOptions { Temperature = 0.8f, TopK = 40 };
        ChatResponse speech = await speaker.GetResponseAsync("Fellow-Citizens of the ", chat);
        Assert.That(speech.Text, Has.Length.EqualTo(80));
        await host.StopAsync();
    }

    private static async Task ServeFolderAsync()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Services.AddFastNN(options => options.FromFolder("models"));
        using IHost host = builder.Build();
        await host.StartAsync();
        Assert.That(host.Services.GetRequiredService<IModelCatalog>().List().Single().State, Is.EqualTo(ModelState.Ready));
        await host.StopAsync();
    }

    /// <summary>A tokenizer of letters and the space.</summary>
    private sealed class Letters
    {
        public const int Count = 27;

        public IReadOnlyList<int> Encode(string text) =>
            [.. text.Select(letter => letter == ' ' ? 0 : (letter - 'a' + 1) % Count)];

        public string Decode(IReadOnlyList<int> tokens) =>
            string.Concat(tokens.Select(token => token == 0 ? ' ' : (char)('a' + token - 1)));
    }
}
