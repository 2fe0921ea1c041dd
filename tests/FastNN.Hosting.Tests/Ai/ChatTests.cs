using FastNN.Hosting.Tests.Models;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Ai;

/// <summary>Chats with a small language model through Microsoft.Extensions.AI.</summary>
public sealed class ChatTests : ServingFixture
{
    private const int Context = 40;

    private const string Letters = "abcdefgh ijklmn";

    private static readonly ChatOptions Greedy = new() { Temperature = 0, MaxOutputTokens = 12 };

    [Test]
    public async Task An_answer_is_what_the_decoder_makes_of_the_prompt()
    {
        IChatClient client = await ServeAsync();
        string expected = Continue("abc\nhead", 12);
        ChatResponse response = await client.GetResponseAsync(
            [new(ChatRole.System, "abc"), new(ChatRole.User, "head")], Greedy);
        Assert.Multiple(() =>
        {
            Assert.That(response.Text, Is.EqualTo(expected));
            Assert.That(response.FinishReason, Is.EqualTo(ChatFinishReason.Length));
            Assert.That(response.Usage!.InputTokenCount, Is.EqualTo(8));
            Assert.That(response.Usage.OutputTokenCount, Is.EqualTo(12));
            Assert.That(response.ModelId, Is.EqualTo("tiny"));
            Assert.That(client.GetService<ChatClientMetadata>()!.ProviderName, Is.EqualTo("fastnn"));
        });
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 12, Instructions = "abc" };
        Assert.That((await client.GetResponseAsync("head", options)).Text, Is.EqualTo(expected), "instructions stand first");
    }

    [Test]
    public async Task A_stream_brings_the_answer_in_parts_and_ends_at_a_stop_sequence()
    {
        IChatClient client = await ServeAsync();
        string all = Continue("head", 12);
        (string text, ChatFinishReason? reason, int parts) = await StreamAsync(client, Greedy);
        Assert.That((text, reason), Is.EqualTo((all, (ChatFinishReason?)ChatFinishReason.Length)));
        Assert.That(parts, Is.GreaterThanOrEqualTo(12));

        string stop = all[5..8];
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 12, StopSequences = [stop, "never"] };
        (text, reason, _) = await StreamAsync(client, options);
        Assert.That(text, Is.EqualTo(all[..all.IndexOf(stop, StringComparison.Ordinal)]), "and nothing of the sequence");
        Assert.That(reason, Is.EqualTo(ChatFinishReason.Stop));
    }

    [Test]
    public async Task A_token_of_the_end_ends_the_answer()
    {
        string all = Continue("head", 12);
        char end = all[4];
        IChatClient client = await ServeAsync(options => options.EndTokens.Add(Letters.IndexOf(end, StringComparison.Ordinal)));
        ChatResponse response = await client.GetResponseAsync("head", Greedy);
        Assert.That(response.Text, Is.EqualTo(all[..all.IndexOf(end, StringComparison.Ordinal)]));
        Assert.That(response.FinishReason, Is.EqualTo(ChatFinishReason.Stop));
    }

    [Test]
    public async Task Draws_follow_from_the_seed_and_chats_do_not_mix()
    {
        IChatClient client = await ServeAsync(options => options.MaxConcurrency = 2);
        var seeded = new ChatOptions { Seed = 5, MaxOutputTokens = 20, TopK = 10 };
        string[] texts = await Task.WhenAll(Enumerable.Range(0, 6).Select(
            async i => (await client.GetResponseAsync(i % 2 == 0 ? "head" : "a", seeded)).Text));
        Assert.That(texts.Distinct().Count(), Is.EqualTo(2));
        Assert.That((texts[0], texts[1]), Is.EqualTo((texts[2], texts[3])));
    }

    [Test]
    public async Task Prompts_that_do_not_fit_and_chats_that_are_cancelled_end_with_a_reason()
    {
        IChatClient client = await ServeAsync();
        InferenceException refusal = Assert.ThrowsAsync<InferenceException>(
            () => client.GetResponseAsync(new string('a', Context), Greedy))!;
        Assert.That(refusal.Message, Does.Contain("1 to 39 tokens, got 40"));
        using var stop = new CancellationTokenSource();
        Assert.CatchAsync<OperationCanceledException>(async () =>
        {
            await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync("head", Greedy, stop.Token))
            {
                await stop.CancelAsync();
            }
        });
        ChatResponse next = await client.GetResponseAsync("head", Greedy);
        Assert.That(next.Text, Is.EqualTo(Continue("head", 12)), "its place is free again");
    }

    [Test]
    public async Task A_file_that_changes_is_loaded_and_chats_under_way_end_with_the_old_model()
    {
        Build(9).Save(At("tiny.safetensors"));
        IHost host = await ServeFileAsync();
        IChatClient client = host.Services.GetRequiredKeyedService<IChatClient>("tiny");
        string before = Continue("head", 12, 9), after = Continue("head", 12, 10);
        Assert.That(before, Is.Not.EqualTo(after));

        await using IAsyncEnumerator<ChatResponseUpdate> underWay =
            client.GetStreamingResponseAsync("head", Greedy).GetAsyncEnumerator();
        Assert.That(await underWay.MoveNextAsync());
        string text = underWay.Current.Text;
        Build(10).Save(At("tiny.safetensors"));
        int Ready() => Log.Lines.Count(line => line.Contains("Model tiny, version 1: ready", StringComparison.Ordinal));
        await LookAsync(host);
        Assert.That(Ready(), Is.EqualTo(1), "it may still be written");
        await LookAsync(host);
        Assert.That(Ready(), Is.EqualTo(2));
        while (await underWay.MoveNextAsync())
        {
            text += underWay.Current.Text;
        }

        Assert.That(text, Is.EqualTo(before), "it was begun by the old model");
        Assert.That((await client.GetResponseAsync("head", Greedy)).Text, Is.EqualTo(after));

        await File.WriteAllTextAsync(At("tiny.safetensors"), "no model");
        await LookAsync(host);
        await LookAsync(host);
        Assert.That(Log.Lines, Has.Some.Contains("Model tiny, version 1: its file changed and cannot be loaded"));
        Assert.That((await client.GetResponseAsync("head", Greedy)).Text, Is.EqualTo(after), "the model from before stays");
    }

    [Test]
    public async Task A_file_has_the_weights_of_a_model_that_code_makes()
    {
        Build(10).SaveWeights(At("tiny.safetensors"));
        IHost host = await ServeFileAsync(options => options.Model = () => Build(9));
        IChatClient client = host.Services.GetRequiredKeyedService<IChatClient>("tiny");
        Assert.That((await client.GetResponseAsync("head", Greedy)).Text, Is.EqualTo(Continue("head", 12, 10)));
    }

    [Test]
    public async Task Without_its_file_the_service_does_not_start_unless_it_may()
    {
        InferenceException refusal = Assert.ThrowsAsync<InferenceException>(() => ServeFileAsync())!;
        Assert.That(refusal.Message, Is.EqualTo("Chat model 'tiny' could not be loaded: there is no model file."));

        IHost host = await ServeFileAsync(mayLack: true);
        IChatClient client = host.Services.GetRequiredKeyedService<IChatClient>("tiny");
        refusal = Assert.ThrowsAsync<InferenceException>(() => client.GetResponseAsync("head", Greedy))!;
        Assert.That(refusal.Failure, Is.EqualTo(InferenceFailure.NotReady));
        Build(9).Save(At("tiny.safetensors"));
        await LookAsync(host);
        await LookAsync(host);
        Assert.That((await client.GetResponseAsync("head", Greedy)).Text, Is.EqualTo(Continue("head", 12)));
    }

    [Test]
    public void Options_that_lack_something_are_named()
    {
        InvalidOperationException refusal = Assert.ThrowsAsync<InvalidOperationException>(
            () => ServeAsync(options => options.Model = null))!;
        Assert.That(refusal.Message, Does.Contain("'tiny': expected File or Model").And.Contain("got neither File nor Model"));
    }

    private Task<IHost> ServeFileAsync(Action<ChatModelOptions>? configure = null, bool mayLack = false) => StartAsync(
        options => options.RequireModels = !mayLack,
        models => models.AddChatClient("tiny", options =>
        {
            (options.File, options.Encode, options.Decode, options.Context) = ("tiny.safetensors", Encode, Decode, Context);
            configure?.Invoke(options);
        }));

    private static Task LookAsync(IHost host) =>
        host.Services.GetRequiredService<ServedChats>().RefreshAsync(CancellationToken.None);

    private static async Task<(string Text, ChatFinishReason? Reason, int Parts)> StreamAsync(
        IChatClient client, ChatOptions options)
    {
        string text = "";
        int parts = 0;
        ChatFinishReason? reason = null;
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync("head", options))
        {
            (text, reason, parts) = (text + update.Text, update.FinishReason ?? reason, parts + 1);
        }

        return (text, reason, parts);
    }

    private async Task<IChatClient> ServeAsync(Action<ChatModelOptions>? configure = null)
    {
        IHost host = await StartAsync(add: models => models.AddChatClient("tiny", options =>
        {
            (options.Model, options.Encode, options.Decode, options.Context) = (() => Build(9), Encode, Decode, Context);
            configure?.Invoke(options);
        }));
        return host.Services.GetRequiredKeyedService<IChatClient>("tiny");
    }

    /// <summary>What the model says most probably.</summary>
    private static string Continue(string prompt, int count, ulong seed = 9)
    {
        using Device device = Device.Cpu(1);
        using Decoder decoder = Build(seed).CreateDecoder(device, Context);
        decoder.Append([.. Encode(prompt)]);
        var tokens = new int[count];
        decoder.Generate(new TokenSampler { Temperature = 0 }, tokens);
        return Decode(tokens);
    }

    private static Model Build(ulong seed)
    {
        Symbol tokens = FastNN.Model.Input("tokens", [Dim.Named("T")], DType.Int32);
        Symbol rows = new FastNN.Embedding(Letters.Length, 12).Apply(tokens);
        rows = new LearnedPositions(Context).Apply(rows);
        rows = new TransformerEncoder(
            new TransformerEncoderLayer(12, 3, 16) { Causal = CausalMask.UpperLeft }).Apply(rows);
        var model = new Model(tokens, new Dense(Letters.Length).Apply(rows));
        model.Build(seed);
        return model;
    }

    private static IReadOnlyList<int> Encode(string text) =>
        [.. text.Select(letter => Math.Max(0, Letters.IndexOf(letter, StringComparison.Ordinal)))];

    private static string Decode(IReadOnlyList<int> tokens) => string.Concat(tokens.Select(token => Letters[token]));
}
