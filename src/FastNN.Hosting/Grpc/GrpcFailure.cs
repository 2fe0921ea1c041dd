using FastNN.Hosting.Protocol;
using Grpc.Core;

namespace FastNN.Hosting;

/// <summary>What a caller is told about a failure: a status code of gRPC, and a message without path or stack.</summary>
internal static class GrpcFailure
{
    /// <summary>The status that stands for a failure.</summary>
    public static Status StatusOf(Exception failure) => failure switch
    {
        InferenceException known => new Status(CodeOf(known.Failure), known.Message),
        RequestTooLargeException large => new Status(StatusCode.ResourceExhausted, large.Message),
        RpcException rpc => rpc.Status,
        OperationCanceledException => new Status(StatusCode.Cancelled, "the call was cancelled"),
        _ => new Status(StatusCode.Internal, "the server failed on this request; its log says why"),
    };

    private static StatusCode CodeOf(InferenceFailure failure) => failure switch
    {
        InferenceFailure.InvalidInput => StatusCode.InvalidArgument,
        InferenceFailure.NotFound => StatusCode.NotFound,
        InferenceFailure.NotReady => StatusCode.Unavailable,
        InferenceFailure.QueueFull => StatusCode.ResourceExhausted,
        InferenceFailure.DeadlineExceeded => StatusCode.DeadlineExceeded,
        InferenceFailure.ShuttingDown => StatusCode.Unavailable,
        _ => StatusCode.Internal,
    };
}
