using Microsoft.Extensions.AI;

namespace FastNN.Hosting;

/// <summary>A language model that answers chats: where it is, and how text becomes tokens and tokens text.</summary>
public sealed class ChatModelOptions
{
    /// <summary>
    /// The model's file, .safetensors, relative to the application's content root: what <c>model.Save</c> wrote, or, beside
    /// <see cref="Model"/>, the weights of that. It is loaded before the service takes requests, and again when it changes:
    /// chats that begin then are answered by the new model, those under way by the old one. Null, the default, for
    /// <see cref="Model"/> alone. What the model takes and gives is said there.
    /// </summary>
    public string? File { get; set; }

    /// <summary>
    /// Makes the model, built: of tokens Int32 [N, T] that gives logits [N, T, vocabulary], with positions that see one another
    /// in causal self-attention alone. Called once, when the first chat comes; with <see cref="File"/>, each time that it is
    /// loaded.
    /// </summary>
    public Func<Layer>? Model { get; set; }

    /// <summary>Makes tokens of a text.</summary>
    public Func<string, IReadOnlyList<int>>? Encode { get; set; }

    /// <summary>Makes text of tokens; the inverse of <see cref="Encode"/>.</summary>
    public Func<IReadOnlyList<int>, string>? Decode { get; set; }

    /// <summary>
    /// Makes the text that the model continues. By default the messages' texts one below the other, for a model that was
    /// trained to continue texts; one that was trained on chats has a format of its own.
    /// </summary>
    public Func<IEnumerable<ChatMessage>, string>? Prompt { get; set; }

    /// <summary>The most positions of a prompt and its answer. Default 512.</summary>
    public int Context { get; set; } = 512;

    /// <summary>
    /// How long an answer is at most where <see cref="ChatOptions.MaxOutputTokens"/> does not say. Default 256.
    /// </summary>
    public int MaxOutputTokens { get; set; } = 256;

    /// <summary>Tokens that end an answer without being in it.</summary>
    public ISet<int> EndTokens { get; } = new HashSet<int>();

    /// <summary>How many chats are answered at once, each with keys and values of its own in memory. Default 1.</summary>
    public int MaxConcurrency { get; set; } = 1;

    internal void Check(string name)
    {
        bool hasModel = Model is not null || !string.IsNullOrEmpty(File);
        if (!hasModel || Encode is null || Decode is null || Context < 1 || MaxOutputTokens < 1 || MaxConcurrency < 1)
        {
            string given = !hasModel ? "neither File nor Model"
                : Encode is null ? "no Encode"
                : Decode is null ? "no Decode"
                : $"Context {Context}, MaxOutputTokens {MaxOutputTokens}, MaxConcurrency {MaxConcurrency}";
            throw new InvalidOperationException(
                $"AddChatClient '{name}': expected File or Model, Encode and Decode, and numbers of at least 1, got {given}.");
        }
    }
}
