using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace FastNN.Hosting;

/// <summary>
/// Chats with a language model: continues the prompt token by token, and keeps the keys and values of the positions so far.
/// Thread-safe; chats beyond <see cref="ChatModelOptions.MaxConcurrency"/> wait for one another.
/// </summary>
internal sealed class ModelChatClient : IChatClient
{
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(5);

    private readonly ChatModelOptions _options;
    private readonly Func<Device> _device;
    private readonly ChatClientMetadata _metadata;
    private readonly SemaphoreSlim _free;
    private readonly Lock _lock = new();
    private readonly Stack<Decoder> _idle = new();
    private Layer? _model;
    private volatile bool _isDisposed;

    /// <param name="name">The model's name.</param>
    /// <param name="options">The model.</param>
    /// <param name="device">Where it runs.</param>
    public ModelChatClient(string name, ChatModelOptions options, Func<Device> device)
    {
        options.Check(name);
        (_options, _device) = (options, device);
        _metadata = new ChatClientMetadata("fastnn", providerUri: null, name);
        _free = new SemaphoreSlim(options.MaxConcurrency);
    }

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        IReadOnlyList<int> prompt = Prompt(messages, options);
        int most = options?.MaxOutputTokens ?? _options.MaxOutputTokens;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most, nameof(options));
        TokenSampler sampler = Sampler(options);
        var answer = new ChatText(_options.Decode!, options?.StopSequences ?? []);
        string id = Guid.NewGuid().ToString("N");
        ChatResponseUpdate Update(string text) => new(ChatRole.Assistant, text)
        {
            ResponseId = id,
            MessageId = id,
            ModelId = _metadata.DefaultModelId,
            CreatedAt = DateTimeOffset.UtcNow,
        };

        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        Decoder? decoder = null;
        try
        {
            decoder = await Task.Run(() => Begin(prompt), cancellationToken).ConfigureAwait(false);
            ChatFinishReason reason = ChatFinishReason.Length;
            while (answer.Count < most)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_isDisposed)
                {
                    throw ModelCatalog.ShuttingDown();
                }

                int token = await Task.Run(() => Draw(decoder, sampler), cancellationToken).ConfigureAwait(false);
                if (_options.EndTokens.Contains(token) || !answer.Add(token))
                {
                    reason = ChatFinishReason.Stop;
                    break;
                }

                if (answer.Take(isEnd: false) is { Length: > 0 } text)
                {
                    yield return Update(text);
                }
            }

            ChatResponseUpdate last = Update(answer.Take(isEnd: true));
            last.FinishReason = reason;
            last.Contents.Add(new UsageContent(new UsageDetails
            {
                InputTokenCount = prompt.Count,
                OutputTokenCount = answer.Count,
                TotalTokenCount = prompt.Count + answer.Count,
            }));
            yield return last;
        }
        finally
        {
            GiveBack(decoder);
            _free.Release();
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        // Chats under way end with their next token, and only one whose reader has gone away for good keeps its place.
        for (int i = 0; i < _options.MaxConcurrency; i++)
        {
            _free.Wait(LongestEnd);
        }

        lock (_lock)
        {
            while (_idle.TryPop(out Decoder? decoder))
            {
                decoder.Dispose();
            }
        }
    }

    private IReadOnlyList<int> Prompt(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        List<ChatMessage> all = [.. messages];
        if (!string.IsNullOrEmpty(options?.Instructions))
        {
            all.Insert(0, new ChatMessage(ChatRole.System, options.Instructions));
        }

        string text = _options.Prompt?.Invoke(all) ?? string.Join('\n', all.Select(message => message.Text));
        IReadOnlyList<int> tokens = _options.Encode!(text);
        return tokens.Count > 0 && tokens.Count < _options.Context
            ? tokens
            : throw new InferenceException(
                InferenceFailure.InvalidInput,
                $"Chat model '{_metadata.DefaultModelId}': expected a prompt of 1 to {_options.Context - 1} tokens, "
                + $"got {tokens.Count}; send fewer messages, or raise Context.");
    }

    private static TokenSampler Sampler(ChatOptions? options) =>
        new((ulong)(options?.Seed ?? Random.Shared.NextInt64()))
        {
            Temperature = options?.Temperature ?? 1,
            TopK = options?.TopK ?? 0,
            TopP = options?.TopP ?? 1,
        };

    /// <summary>A decoder that has read the prompt.</summary>
    private Decoder Begin(IReadOnlyList<int> prompt)
    {
        Decoder decoder = Take();
        try
        {
            decoder.Rewind();
            decoder.Append([.. prompt]);
            return decoder;
        }
        catch
        {
            GiveBack(decoder);
            throw;
        }
    }

    private static int Draw(Decoder decoder, TokenSampler sampler)
    {
        Span<int> token = stackalloc int[1];
        decoder.Generate(sampler, token);
        return token[0];
    }

    private Decoder Take()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_idle.TryPop(out Decoder? decoder))
            {
                return decoder;
            }

            _model ??= _options.Model!() ?? throw new InvalidOperationException(
                $"Chat model '{_metadata.DefaultModelId}': expected a model from ChatModelOptions.Model, got null.");
            return _model.CreateDecoder(_device(), _options.Context);
        }
    }

    private void GiveBack(Decoder? decoder)
    {
        lock (_lock)
        {
            if (decoder is not null && !_isDisposed)
            {
                _idle.Push(decoder);
                return;
            }
        }

        decoder?.Dispose();
    }
}
