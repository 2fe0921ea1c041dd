using System.Buffers;
using System.Text.Unicode;
using FastNN.Hosting.Protocol;
using Microsoft.Extensions.ObjectPool;

namespace FastNN.Hosting;

/// <summary>
/// One inference over gRPC, from its decoded request to its encoded response, from a pool. The request has been decoded into the
/// model's own memory; what is wrong with it stands in <see cref="Failure"/>, since a message is decoded where nobody can answer.
/// </summary>
internal sealed class InferCall(ObjectPool<InferCall> pool)
{
    private byte[] _id = new byte[64];
    private int _idLength;

    /// <summary>
    /// Gives a call back that no handler has seen: gRPC drops a request behind which more data comes, or whose stream is broken
    /// off before its end.
    /// </summary>
    ~InferCall() => Call?.Dispose();

    /// <summary>The inputs, checked.</summary>
    public RequestInputs Inputs { get; } = new();

    /// <summary>The outputs that are wanted.</summary>
    public RequestOutputs Outputs { get; } = new();

    /// <summary>The model that answers; null where the request named none.</summary>
    public IModel? Model { get; set; }

    /// <summary>The model's call; null before the model is known.</summary>
    public ModelCall? Call { get; set; }

    /// <summary>Why there is no answer; null where there may be one.</summary>
    public Exception? Failure { get; set; }

    /// <summary>When the request came, by <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long Arrival { get; set; }

    /// <summary>The request's parameter of that name; 0 for none.</summary>
    public long Priority { get; set; }

    /// <summary>The request's parameter of that name, in microseconds; 0 for none.</summary>
    public long Timeout { get; set; }

    /// <summary>Elements of outputs that are answered as classes, one output behind the other.</summary>
    public ArrayBufferWriter<byte> Classes { get; } = new();

    /// <summary>Where the classes of each wanted output end in <see cref="Classes"/>.</summary>
    public List<int> ClassEnds { get; } = [];

    /// <summary>The request's own name for itself, in UTF-8; it comes back in the response.</summary>
    public ReadOnlySpan<byte> Id => _id.AsSpan(0, _idLength);

    /// <summary>Copies the request's name for itself.</summary>
    public void SetId(in ReadOnlySequence<byte> id)
    {
        if (id.Length > RequestLimits.MaxIdBytes)
        {
            throw new InferenceException(
                InferenceFailure.InvalidInput, $"expected an id of at most {RequestLimits.MaxIdBytes} bytes, got {id.Length}");
        }

        if (id.Length > _id.Length)
        {
            _id = new byte[RequestLimits.MaxIdBytes];
        }

        id.CopyTo(_id);
        _idLength = (int)id.Length;
        if (!Utf8.IsValid(Id))
        {
            _idLength = 0;
            throw new InferenceException(InferenceFailure.InvalidInput, "expected an id in UTF-8, got other bytes");
        }
    }

    /// <summary>Gives everything back.</summary>
    public void Release()
    {
        Call?.Dispose();
        Call = null;
        Model = null;
        Failure = null;
        Arrival = Priority = Timeout = 0;
        _idLength = 0;
        Inputs.Clear();
        Outputs.Clear();
        Classes.ResetWrittenCount();
        ClassEnds.Clear();
        pool.Return(this);
    }
}

/// <summary>The pool of calls; as many as wait and run at once in a busy service.</summary>
internal sealed class InferCallPool : ObjectPool<InferCall>
{
    private const int MaxKept = 1024;

    /// <summary>Classes of an answer beyond which a call's buffer is not kept.</summary>
    private const int MaxKeptBytes = 1 << 20;

    private readonly DefaultObjectPool<InferCall> _calls;

    public InferCallPool() => _calls = new DefaultObjectPool<InferCall>(new Policy(this), MaxKept);

    /// <inheritdoc />
    public override InferCall Get() => _calls.Get();

    /// <inheritdoc />
    public override void Return(InferCall obj) => _calls.Return(obj);

    private sealed class Policy(InferCallPool pool) : IPooledObjectPolicy<InferCall>
    {
        public InferCall Create() => new(pool);

        public bool Return(InferCall obj) => obj.Classes.Capacity <= MaxKeptBytes;
    }
}
