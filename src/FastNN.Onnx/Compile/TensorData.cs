using FastNN.Onnx.Host;
using FastNN.Tensors;

namespace FastNN.Onnx.Compile;

/// <summary>A tensor's elements as the engine's constant, its axes in another order; read where they stand when they are
/// needed.</summary>
internal sealed class TensorData : ConstantData
{
    // So many bytes are worth a task of their own.
    private const int CopyBytes = 1 << 20;

    private readonly OnnxTensor _tensor;
    private readonly int[] _dims;
    private readonly int[] _strides;
    private readonly Transposition? _transposition;
    private readonly int _size;

    /// <summary>All elements in their order.</summary>
    public TensorData(OnnxTensor tensor)
    {
        (_tensor, _dims, _strides) = (tensor, [], []);
        _size = tensor.ElementType.Bits() / 8;
    }

    /// <param name="tensor">The tensor.</param>
    /// <param name="permutation">Which axis of the tensor each axis of the constant is.</param>
    public TensorData(OnnxTensor tensor, int[] permutation)
        : this(tensor)
    {
        int[] strides = Shapes.Strides(tensor.Dims);
        _dims = Array.ConvertAll(permutation, axis => tensor.Dims[axis]);
        _strides = Array.ConvertAll(permutation, axis => strides[axis]);
        _transposition = new Transposition(_dims, _strides);
    }

    public override int Length => checked(_tensor.Count * _size);

    public override int Parts => _transposition?.Parts ?? Math.Max(1, (Length + CopyBytes - 1) / CopyBytes);

    public override ReadOnlySpan<byte> Origin => _tensor.Stored;

    public override bool IsMadeLike(ConstantData other) => other is TensorData data && data._size == _size
        && data._dims.AsSpan().SequenceEqual(_dims) && data._strides.AsSpan().SequenceEqual(_strides);

    public override void Write(Span<byte> target, int part)
    {
        if (_transposition is not null)
        {
            _transposition.Run(Origin, target, _size, part);
            return;
        }

        int first = part * CopyBytes, count = Math.Min(CopyBytes, Length - first);
        Origin.Slice(first, count).CopyTo(target[first..]);
    }
}
