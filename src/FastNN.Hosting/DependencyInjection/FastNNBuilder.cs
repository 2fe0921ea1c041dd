using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FastNN.Hosting;

/// <summary>Adds models to a service; what <c>AddFastNN</c> gives.</summary>
public sealed class FastNNBuilder
{
    internal FastNNBuilder(IServiceCollection services) => Services = services;

    /// <summary>The services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Adds a model, or further options of one that was added.</summary>
    /// <param name="name">Its name: letters, digits, '_', '-' and '.'.</param>
    /// <param name="configure">Says where it comes from.</param>
    /// <returns>The builder.</returns>
    public FastNNBuilder AddModel(string name, Action<ModelOptions> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        Services.Configure<FastNNOptions>(options =>
        {
            if (!options.Models.TryGetValue(name, out ModelOptions? model))
            {
                options.Models.Add(name, model = new ModelOptions());
            }

            configure(model);
        });
        return this;
    }

    /// <summary>
    /// Adds a typed predictor over a model, <see cref="IPredictor{TIn, TOut}"/> by the key of the model's name, and, for the
    /// first of its types, without a key.
    /// </summary>
    /// <typeparam name="TIn">What goes in.</typeparam> <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="model">The model's name.</param>
    /// <param name="write">Sets the inputs of a call.</param>
    /// <param name="read">Makes the answer of its outputs, whose spans end with the call.</param>
    /// <returns>The builder.</returns>
    public FastNNBuilder AddPredictor<TIn, TOut>(string model, Action<ModelCall, TIn> write, Func<ModelCall, TOut> read)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        ArgumentNullException.ThrowIfNull(write);
        ArgumentNullException.ThrowIfNull(read);
        Services.AddKeyedSingleton<IPredictor<TIn, TOut>>(model, (provider, _) => new ConvertingPredictor<TIn, TOut>(
            provider.GetRequiredKeyedService<IModel>(model), (_, call, input) => write(call, input), (_, call) => read(call)));
        Services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IPredictor<TIn, TOut>>(model));
        return this;
    }

    /// <summary>
    /// Adds embeddings of texts, <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> of <see cref="string"/> by the key of
    /// the model's name, and, for the first of them, without a key.
    /// </summary>
    /// <param name="model">The name of a model of tokens [N, T], whose output is [N, T, D] or [N, D].</param>
    /// <param name="tokenize">Makes tokens of a text, with whatever the model wants at its beginning and end.</param>
    /// <param name="configure">Sets options; null for the defaults.</param>
    /// <returns>The builder.</returns>
    public FastNNBuilder AddEmbeddingGenerator(
        string model, Func<string, IReadOnlyList<int>> tokenize, Action<EmbeddingOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(tokenize);
        EmbeddingOptions options = Options(configure);
        return AddEmbeddings<string>(
            model, options, (its, call, text) => TokenInputs.Write(its, call, tokenize(text), options.MaxTokens));
    }

    /// <summary>
    /// Adds embeddings of vectors and pictures, <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> of floats by the key of
    /// the model's name, and, for the first of them, without a key.
    /// </summary>
    /// <param name="model">The name of a model of one float input.</param>
    /// <param name="configure">Sets options; null for the defaults.</param>
    /// <returns>The builder.</returns>
    public FastNNBuilder AddFloatEmbeddingGenerator(string model, Action<EmbeddingOptions>? configure = null) =>
        AddEmbeddings<ReadOnlyMemory<float>>(model, Options(configure), (its, call, values) =>
        {
            FloatConverters.Write(its, call, values.Span);
            return 0;
        });

    /// <summary>
    /// Adds a language model that answers chats, <see cref="IChatClient"/> by the key of its name, and, for the first of them,
    /// without a key. It runs on the service's device.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="configure">Says what it is.</param>
    /// <returns>The builder.</returns>
    public FastNNBuilder AddChatClient(string name, Action<ChatModelOptions> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        Services.AddSingleton(new ChatName(name));
        Services.AddKeyedSingleton(name, (provider, _) =>
        {
            var options = new ChatModelOptions();
            configure(options);
            ServedDevice device = provider.GetRequiredService<ServedDevice>();
            var client = new ModelChatClient(
                name, options, CatalogFactory.Root(provider), device.Get, CatalogFactory.Log(provider));
            device.AddUser(client);
            return client;
        });
        Services.AddKeyedSingleton<IChatClient>(name, (provider, _) => provider.GetRequiredKeyedService<ModelChatClient>(name));
        Services.TryAddSingleton(provider => provider.GetRequiredKeyedService<IChatClient>(name));
        return this;
    }

    /// <summary>
    /// Adds what any model of one float input and one float output answers to, by the key of its name: floats to floats, and
    /// floats to the class of one example.
    /// </summary>
    internal void AddFloatPredictors()
    {
        Add<float[], float[]>(static (model, call, input) => FloatConverters.Write(model, call, input), FloatConverters.Read);
        Add<ReadOnlyMemory<float>, float[]>(
            static (model, call, input) => FloatConverters.Write(model, call, input.Span), FloatConverters.Read);
        Add<float[], ClassPrediction>(
            static (model, call, input) => FloatConverters.Write(model, call, input), FloatConverters.ReadClass);
        Add<ReadOnlyMemory<float>, ClassPrediction>(
            static (model, call, input) => FloatConverters.Write(model, call, input.Span), FloatConverters.ReadClass);
    }

    private void Add<TIn, TOut>(Action<IModel, ModelCall, TIn> write, Func<IModel, ModelCall, TOut> read) =>
        Services.TryAddKeyedSingleton<IPredictor<TIn, TOut>>(KeyedService.AnyKey, (provider, key) =>
            new ConvertingPredictor<TIn, TOut>(provider.GetRequiredKeyedService<IModel>(key), write, read));

    private static EmbeddingOptions Options(Action<EmbeddingOptions>? configure)
    {
        var options = new EmbeddingOptions();
        configure?.Invoke(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxTokens, nameof(configure));
        return options;
    }

    private FastNNBuilder AddEmbeddings<TInput>(
        string model, EmbeddingOptions options, Func<IModel, ModelCall, TInput, int> write)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        Services.AddKeyedSingleton<IEmbeddingGenerator<TInput, Embedding<float>>>(model, (provider, _) =>
            new ModelEmbeddingGenerator<TInput>(provider.GetRequiredKeyedService<IModel>(model), write, options));
        Services.TryAddSingleton(
            provider => provider.GetRequiredKeyedService<IEmbeddingGenerator<TInput, Embedding<float>>>(model));
        return this;
    }
}
