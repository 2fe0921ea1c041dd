using Grpc.Core;
using Grpc.Health.V1;

namespace FastNN.Hosting;

/// <summary>
/// The standard health service of gRPC: the empty name and that of the inference service stand for the server, any other name for
/// the model that is called so.
/// </summary>
internal sealed class HealthService(IModelCatalog catalog, TimeProvider time) : Health.HealthBase
{
    // How soon a watcher hears of a change; orchestrators ask less often.
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        HealthCheckResponse.Types.ServingStatus status = StatusOf(request.Service);
        return status != HealthCheckResponse.Types.ServingStatus.ServiceUnknown
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(new Status(
                StatusCode.NotFound,
                $"there is no service or model {Protocol.Show.Name(request.Service)}; the empty name stands for the server"));
    }

    /// <inheritdoc />
    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        var told = HealthCheckResponse.Types.ServingStatus.Unknown;
        try
        {
            do
            {
                HealthCheckResponse.Types.ServingStatus status = StatusOf(request.Service);
                if (status != told)
                {
                    told = status;
                    await responseStream.WriteAsync(new HealthCheckResponse { Status = status }).ConfigureAwait(false);
                }
            }
            while (await timer.WaitForNextTickAsync(context.CancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The watcher has gone, which is how it ends.
        }
    }

    private HealthCheckResponse.Types.ServingStatus StatusOf(string service)
    {
        bool serving;
        if (service.Length == 0 || service == InferenceMethods.Descriptor.FullName)
        {
            serving = catalog.IsReady;
        }
        else if (!(serving = catalog.TryGet(service, null, out _)) && !catalog.List().Any(model => model.Name == service))
        {
            return HealthCheckResponse.Types.ServingStatus.ServiceUnknown;
        }

        return serving ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing;
    }
}
