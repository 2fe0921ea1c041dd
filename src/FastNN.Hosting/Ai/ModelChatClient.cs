using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace FastNN.Hosting;

/// <summary>
/// Chats with a language model: continues the prompt token by token, and keeps the keys and values of the positions so far.
/// Thread-safe; chats beyond <see cref="ChatModelOptions.MaxConcurrency"/> wait for one another.
/// </summary>
internal sealed class ModelChatClient : IChatClient
{
    private const string OnlyVersion = "1";

    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(5);

    private readonly ChatModelOptions _options;
    private readonly string? _file;
    private readonly Func<Device> _device;
    private readonly CatalogLog _log;
    private readonly ChatClientMetadata _metadata;
    private readonly SemaphoreSlim _free;
    private readonly Lock _lock = new();
    private ChatModel? _model;
    private string _seen = "";
    private string _tried = "";
    private volatile bool _hasFailed;
    private volatile bool _isDisposed;

    /// <param name="name">The model's name.</param>
    /// <param name="options">The model.</param>
    /// <param name="root">What its file is relative to.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="log">Is told of loads.</param>
    public ModelChatClient(string name, ChatModelOptions options, string root, Func<Device> device, CatalogLog log)
    {
        options.Check(name);
        (_options, _device, _log) = (options, device, log);
        _file = string.IsNullOrEmpty(options.File) ? null : Path.GetFullPath(options.File, root);
        _metadata = new ChatClientMetadata("fastnn", providerUri: null, name);
        _free = new SemaphoreSlim(options.MaxConcurrency);
    }

    private string Name => _metadata.DefaultModelId!;

    /// <summary>Loads the file, where there is one; null, or why that failed.</summary>
    public async Task<InferenceException?> StartAsync(CancellationToken cancellationToken) => _file is null
        ? null
        : await LoadAsync(_file, _seen = FileStamp.Of(_file), cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Loads the file where it has changed and has been the same for two looks: one that is being written is left alone.
    /// </summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (_file is null || _isDisposed)
        {
            return;
        }

        string before = _seen;
        _seen = FileStamp.Of(_file);
        if (_seen == before && _seen != _tried && _seen.Length > 0)
        {
            await LoadAsync(_file, _seen, cancellationToken).ConfigureAwait(false);
        }
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
        ChatModel? model = null;
        Decoder? decoder = null;
        try
        {
            model = await Task.Run(Current, cancellationToken).ConfigureAwait(false);
            decoder = await Task.Run(model.Take, cancellationToken).ConfigureAwait(false);
            await Task.Run(() => decoder.Append([.. prompt]), cancellationToken).ConfigureAwait(false);
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
            if (decoder is not null)
            {
                model!.Give(decoder);
            }

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
            _model?.Dispose();
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
                $"Chat model '{Name}': expected a prompt of 1 to {_options.Context - 1} tokens, "
                + $"got {tokens.Count}; send fewer messages, or raise Context.");
    }

    private static TokenSampler Sampler(ChatOptions? options) =>
        new((ulong)(options?.Seed ?? Random.Shared.NextInt64()))
        {
            Temperature = options?.Temperature ?? 1,
            TopK = options?.TopK ?? 0,
            TopP = options?.TopP ?? 1,
        };

    private static int Draw(Decoder decoder, TokenSampler sampler)
    {
        Span<int> token = stackalloc int[1];
        decoder.Generate(sampler, token);
        return token[0];
    }

    /// <summary>What answers a chat that begins now.</summary>
    private ChatModel Current()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_model is null && _hasFailed)
            {
                throw new InferenceException(
                    InferenceFailure.NotReady, $"Chat model '{Name}' could not be loaded; the service's log has the reason.");
            }

            return _model ??= new ChatModel(Read(), _device(), _options.Context);
        }
    }

    private Layer Read() => _file is null
        ? _options.Model!() ?? throw new InvalidOperationException(
            $"Chat model '{Name}': expected a model from ChatModelOptions.Model, got null.")
        : ModelLoader.ReadModel(_file, _options.Model);

    /// <summary>Puts what the file has in the place of the present model; null, or why that failed.</summary>
    private async Task<InferenceException?> LoadAsync(string file, string stamp, CancellationToken cancellationToken)
    {
        // Where it fails, it is not tried again before the file changes once more.
        _tried = stamp;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        ChatModel? next = null;
        try
        {
            _log.Loading(Name, OnlyVersion);
            await Task.Run(
                () =>
                {
                    next = new ChatModel(Read(), _device(), _options.Context);
                    next.WarmUp();
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            next?.Dispose();
            return Failed(LoadFailure.Describe(exception, file), exception);
        }

        ChatModel? before;
        lock (_lock)
        {
            (before, _model) = (_model, next);
            if (_isDisposed)
            {
                next!.Dispose();
            }
        }

        before?.Dispose();
        _log.Ready(Name, OnlyVersion, "fastnn", clock.ElapsedMilliseconds);
        return null;
    }

    private InferenceException Failed(string reason, Exception exception)
    {
        _hasFailed = true;
        if (_model is null)
        {
            _log.LoadFailed(Name, OnlyVersion, reason, exception);
        }
        else
        {
            _log.ReloadFailed(Name, OnlyVersion, reason, exception);
        }

        return new InferenceException(
            InferenceFailure.NotReady, $"Chat model '{Name}' could not be loaded: {reason}.", exception);
    }
}
