using System.Runtime.CompilerServices;
using FastNN.Hosting.Protocol;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting;

/// <summary>The Open Inference Protocol over gRPC: inference, from the decoded request to the encoded answer.</summary>
/// <remarks>The attribute leads reflection to the service's descriptor; its calls are bound by
/// <see cref="InferenceMethods"/>.</remarks>
[BindServiceMethod(typeof(InferenceMethods), "")]
internal sealed partial class InferenceService(
    IModelCatalog catalog, GrpcServingOptions options, TimeProvider time, ILogger<InferenceService> logger)
{
    private const double MaxSeconds = 100d * 365 * 24 * 3600;

    // The one message of an answer goes out together with the status behind it.
    private static readonly WriteOptions s_withStatus = new(WriteFlags.BufferHint);

    /// <summary>Runs a model.</summary>
    public async Task ModelInfer(InferCall call, IServerStreamWriter<InferCall> responses, ServerCallContext context)
    {
        try
        {
            await RunAsync(call, context.Deadline, context.CancellationToken).ConfigureAwait(false);
            responses.WriteOptions = s_withStatus;
            await responses.WriteAsync(call).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            AddRetryAfter(failure, context.ResponseTrailers);
            throw new RpcException(Explain(failure, call, context.Deadline));
        }
        finally
        {
            call.Release();
        }
    }

    /// <summary>Runs models, request after request; the next is read when the one before is answered.</summary>
    public async Task ModelStreamInfer(
        IAsyncStreamReader<InferCall> requests, IServerStreamWriter<InferCall> responses, ServerCallContext context)
    {
        while (await requests.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            InferCall call = requests.Current;
            try
            {
                await RunAsync(call, context.Deadline, context.CancellationToken).ConfigureAwait(false);
            }
            catch (Exception failure) when (!context.CancellationToken.IsCancellationRequested)
            {
                call.Failure = new RpcException(Explain(failure, call, context.Deadline));
            }

            try
            {
                await responses.WriteAsync(call).ConfigureAwait(false);
            }
            finally
            {
                call.Release();
            }
        }
    }

    /// <summary>Runs a decoded request.</summary>
    /// <param name="call">The request.</param>
    /// <param name="deadline">The call's own; <see cref="DateTime.MaxValue"/> for none.</param>
    /// <param name="cancellationToken">Ends when the caller has gone.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask RunAsync(InferCall call, DateTime deadline, CancellationToken cancellationToken)
    {
        if (call.Failure is not null)
        {
            throw call.Failure;
        }

        ModelCall model = call.Call!;
        model.Priority = RequestParameters.Priority(call.Priority);
        model.Deadline = Deadline(call, deadline);
        await model.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The earliest of what the caller's gRPC, the request's parameter and the server allow.</summary>
    private long Deadline(InferCall call, DateTime deadline)
    {
        long parameter = RequestParameters.Deadline(call.Timeout, options.Timeout, call.Arrival, time);
        if (deadline == DateTime.MaxValue)
        {
            return parameter;
        }

        // Zero is no deadline, and a century no different.
        double seconds = Math.Min((deadline - time.GetUtcNow().UtcDateTime).TotalSeconds, MaxSeconds);
        long own = Math.Max(1, time.GetTimestamp() + (long)(seconds * time.TimestampFrequency));
        return parameter == 0 ? own : Math.Min(parameter, own);
    }

    /// <summary>What the caller is told about a failure; the log is told the rest.</summary>
    public Status Explain(Exception failure, InferCall call, DateTime deadline)
    {
        if (failure is OperationCanceledException && deadline <= time.GetUtcNow().UtcDateTime)
        {
            return new Status(StatusCode.DeadlineExceeded, "the deadline of the call passed before the model had answered");
        }

        Status status = GrpcFailure.StatusOf(failure);
        if (status.StatusCode == StatusCode.Internal)
        {
            LogFailure(logger, call.Model?.Name ?? "", failure);
        }

        return status;
    }

    private static void AddRetryAfter(Exception failure, Metadata trailers)
    {
        foreach ((string name, string value) in RetryAfter.Trailers(failure))
        {
            trailers.Add(name, value);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Inference over gRPC failed, model '{Model}'.")]
    private static partial void LogFailure(ILogger logger, string model, Exception failure);
}
