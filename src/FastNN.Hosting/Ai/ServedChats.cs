using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting;

/// <summary>A chat of a service, by its name.</summary>
internal sealed record ChatName(string Name);

/// <summary>All chats of a service: loads those that have files, and looks whether these change.</summary>
/// <param name="services">Has the chats by their names.</param>
/// <param name="names">Their names.</param>
/// <param name="options">Says whether the service may start without one.</param>
internal sealed class ServedChats(IServiceProvider services, IEnumerable<ChatName> names, IOptions<FastNNOptions> options)
{
    private ModelChatClient[] _clients = [];

    /// <summary>Loads them before the service takes requests.</summary>
    /// <exception cref="InferenceException">One cannot be loaded, and the service is not to start without it.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _clients =
        [
            .. names.Select(chat => chat.Name).Distinct(StringComparer.Ordinal)
                .Select(name => services.GetRequiredKeyedService<ModelChatClient>(name)),
        ];
        InferenceException? failure = null;
        foreach (ModelChatClient client in _clients)
        {
            failure ??= await client.StartAsync(cancellationToken).ConfigureAwait(false);
        }

        if (failure is not null && options.Value.RequireModels)
        {
            throw failure;
        }
    }

    /// <summary>Loads those whose files have changed.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        foreach (ModelChatClient client in _clients)
        {
            await client.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
