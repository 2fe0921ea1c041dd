using FastNN.Hosting.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;

namespace FastNN.Hosting.Rest;

/// <summary>
/// POST .../infer. Where the body has come, the model answers at once and the answer fits the response's buffers, it completes
/// without waiting and, once warm, allocates nothing on the binary path.
/// </summary>
internal sealed class InferHandler(
    IModelCatalog catalog, FastNNEndpointOptions options, TimeProvider time, ILogger logger, ServingTelemetry? telemetry = null)
{
    /// <summary>Requests under way for which state is kept; further ones get new state, which is dropped behind them.</summary>
    private const int KeptStates = 1024;

    private readonly DefaultObjectPool<State> _states = new(new DefaultPooledObjectPolicy<State>(), KeptStates);

    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        State state = _states.Get();
        try
        {
            long arrival = time.GetTimestamp();
            IModel model = Find(http);
            InferRequest request = state.Request;
            await request.Body.ReadAsync(http, options.MaxRequestBytes);
            using ModelCall call = model.Begin();
            request.Read(model, call, http.Request.Headers["Inference-Header-Content-Length"], options.MaxTensorBytes);
            request.Body.Release();
            call.Priority = request.Priority;
            call.Deadline = RequestParameters.Deadline(request.TimeoutMicroseconds, options.Timeout, arrival, time);
            await call.RunAsync(http.RequestAborted);
            await state.Response.WriteAsync(http, request, model, call);
        }
        catch (Exception exception)
        {
            await RestErrors.WriteAsync(http, exception, logger);
        }
        finally
        {
            state.Request.Clear();
            _states.Return(state);
        }
    }

    private IModel Find(HttpContext http)
    {
        try
        {
            return new ModelRoute(http).Find(catalog);
        }
        catch (InferenceException refusal)
        {
            telemetry?.CallRefused(refusal.Failure);
            throw;
        }
    }

    private sealed class State
    {
        public InferRequest Request { get; } = new();

        public InferResponse Response { get; } = new();
    }
}
