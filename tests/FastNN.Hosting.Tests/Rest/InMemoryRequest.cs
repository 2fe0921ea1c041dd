using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>A request without a server, used again and again: what is allocated meanwhile is the handler's.</summary>
internal sealed class InMemoryRequest :
    IHttpResponseBodyFeature, IRequestBodyPipeFeature, IHttpRequestLifetimeFeature, IHttpResponseTrailersFeature
{
    private readonly FeatureCollection _features = new();
    private readonly DefaultHttpContext _http;
    private readonly BodyReader _reader = new();
    private readonly BodyWriter _writer = new();
    private readonly RequestDelegate _handler;

    public InMemoryRequest(FakeCatalog catalog, string model, FastNNEndpointOptions? options = null)
        : this(new Hosting.Rest.InferHandler(
            catalog, options ?? new FastNNEndpointOptions(), TimeProvider.System, NullLogger.Instance).HandleAsync)
    {
        _http.Request.RouteValues["name"] = model;
    }

    /// <summary>A request to anything, over HTTP/2.</summary>
    public InMemoryRequest(RequestDelegate handler)
    {
        _handler = handler;
        _features.Set<IHttpRequestFeature>(
            new HttpRequestFeature { Method = "POST", Protocol = HttpProtocol.Http2, Headers = new PlainHeaders() });
        _features.Set<IHttpResponseTrailersFeature>(this);
        _features.Set<IHttpResponseFeature>(new HttpResponseFeature { Headers = new PlainHeaders() });
        _features.Set<IHttpResponseBodyFeature>(this);
        _features.Set<IRequestBodyPipeFeature>(this);
        _features.Set<IHttpRequestLifetimeFeature>(this);
        _http = new DefaultHttpContext(_features);
    }

    public IHeaderDictionary Headers => _http.Request.Headers;

    public IHeaderDictionary AnswerHeaders => _http.Response.Headers;

    /// <summary>What comes behind the answer.</summary>
    public IHeaderDictionary Trailers { get; set; } = new PlainHeaders();

    public int Status => _http.Response.StatusCode;

    public ReadOnlySpan<byte> Answer => _writer.Written;

    /// <summary>The most bytes that lie in one buffer of the body.</summary>
    public int SegmentBytes { get; set; } = int.MaxValue;

    public bool BodyIsReleased => _reader.IsReleased;

    Stream IHttpResponseBodyFeature.Stream => Stream.Null;

    PipeWriter IHttpResponseBodyFeature.Writer => _writer;

    PipeReader IRequestBodyPipeFeature.Reader => _reader;

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted { get; set; }

    public Task SendAsync(byte[] body)
    {
        _http.Response.StatusCode = StatusCodes.Status200OK;
        AnswerHeaders.Clear();
        Trailers.Clear();
        Headers.ContentLength = body.Length;
        _reader.Set(body, SegmentBytes);
        _writer.Clear();
        return _handler(_http);
    }

    void IHttpRequestLifetimeFeature.Abort()
    {
    }

    Task IHttpResponseBodyFeature.CompleteAsync() => Task.CompletedTask;

    void IHttpResponseBodyFeature.DisableBuffering()
    {
    }

    Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
