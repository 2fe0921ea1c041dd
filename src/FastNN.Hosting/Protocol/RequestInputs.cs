using System.Buffers;
using System.Buffers.Binary;

namespace FastNN.Hosting.Protocol;

/// <summary>
/// The inputs that a request names, checked against its model: name, type, shape and size. Reused from request to request, so
/// that nothing is allocated once it has met the largest. Not thread-safe.
/// </summary>
/// <remarks>
/// For each input <see cref="Add"/>, then its elements into the span of <see cref="Allocate"/> or all at once by
/// <see cref="SetRaw"/>; at the end <see cref="RequireAll"/>. Every wrong thing is an <see cref="InferenceException"/> of
/// <see cref="InferenceFailure.InvalidInput"/>, a tensor above the limit a <see cref="RequestTooLargeException"/>.
/// </remarks>
internal sealed class RequestInputs
{
    private Entry[] _entries = new Entry[4];
    private int[] _extents = new int[16];
    private bool[] _given = new bool[4];
    private int _extentCount;
    private IModel? _model;
    private IReadOnlyList<ModelTensor> _tensors = [];
    private TensorNames? _names;
    private long _maxTensorBytes;

    /// <summary>The model's inputs, as they were when the request began.</summary>
    public IReadOnlyList<ModelTensor> Tensors => _tensors;

    /// <summary>How many inputs were added.</summary>
    public int Count { get; private set; }

    /// <summary>Begins a request.</summary>
    /// <param name="model">Whose inputs they are.</param>
    /// <param name="maxTensorBytes">The most bytes of one tensor's elements.</param>
    public void Reset(IModel model, long maxTensorBytes)
    {
        _model = model;
        _tensors = model.Inputs;
        _names = TensorNames.Of(_tensors);
        _maxTensorBytes = maxTensorBytes;
        Count = 0;
        _extentCount = 0;
        if (_given.Length < _tensors.Count)
        {
            _given = new bool[_tensors.Count];
        }

        Array.Clear(_given);
    }

    /// <summary>
    /// Begins a request that names the inputs which the last one with inputs named, all of the same model: they stand as added.
    /// </summary>
    public void Repeat(IModel model, IReadOnlyList<ModelTensor> tensors, int count)
    {
        (_model, _tensors, Count) = (model, tensors, count);
    }

    /// <summary>Lets go of the model.</summary>
    public void Clear()
    {
        _model = null;
        _names = null;
        _tensors = [];
        Count = 0;
    }

    /// <summary>Takes up an input, checked.</summary>
    /// <returns>Its place among those of the request: <see cref="Count"/> before it was added.</returns>
    public int Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> dataType, ReadOnlySpan<long> shape)
    {
        int index = _names!.IndexOf(name);
        if (index < 0)
        {
            throw Invalid(
                $"model {Show.Name(_model!.Name)} has no input {Show.Name(name)}; its inputs are {Show.Names(_tensors)}");
        }

        ModelTensor tensor = _tensors[index];
        if (_given[index])
        {
            throw Invalid($"input {Show.Name(name)} is given twice: give it once");
        }

        if (!TensorDataTypes.TryParse(dataType, out TensorDataType type))
        {
            throw Invalid(
                $"input {Show.Name(name)}: unknown datatype {Show.Name(dataType)}; expected one of {TensorDataTypes.All}");
        }

        if (type != tensor.DataType)
        {
            throw Invalid($"input {Show.Name(name)}: expected datatype {TensorDataTypes.Name(tensor.DataType)}, got " +
                TensorDataTypes.Name(type));
        }

        long elements = CheckShape(tensor, shape);
        int size = TensorDataTypes.Size(type);
        RequireWithinLimit(tensor, elements, size == 0 ? sizeof(uint) : size);
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, 2 * Count);
        }

        while (_extentCount + shape.Length > _extents.Length)
        {
            Array.Resize(ref _extents, 2 * _extents.Length);
        }

        _entries[Count] = new Entry(index, type, (int)elements, _extentCount, shape.Length);
        foreach (long extent in shape)
        {
            _extents[_extentCount++] = (int)extent;
        }

        _given[index] = true;
        return Count++;
    }

    /// <summary>The input's description in the model.</summary>
    public ModelTensor Tensor(int ordinal) => _tensors[_entries[ordinal].Index];

    /// <summary>The input's extents in the request.</summary>
    public ReadOnlySpan<int> Dimensions(int ordinal) =>
        _extents.AsSpan(_entries[ordinal].FirstExtent, _entries[ordinal].Rank);

    /// <summary>How many elements its shape has.</summary>
    public int Elements(int ordinal) => _entries[ordinal].Elements;

    /// <summary>Memory of the call for the input's elements.</summary>
    /// <param name="call">The call.</param>
    /// <param name="ordinal">Which input.</param>
    /// <param name="bytes">How many bytes there are, checked against the shape; for <see cref="TensorDataType.Bytes"/> those of
    /// lengths and contents together.</param>
    public Span<byte> Allocate(ModelCall call, int ordinal, long bytes)
    {
        Entry entry = _entries[ordinal];
        int size = TensorDataTypes.Size(entry.Type);
        ModelTensor tensor = _tensors[entry.Index];
        if (size != 0 && bytes != (long)entry.Elements * size)
        {
            throw Invalid(
                $"input {Show.Name(tensor.Name)}: expected {(long)entry.Elements * size} bytes ({entry.Elements} elements of " +
                $"{TensorDataTypes.Name(entry.Type)}, shape {Show.Shape(Dimensions(ordinal))}), got {bytes}");
        }

        RequireWithinLimit(tensor, bytes, 1);
        Span<byte> memory = call.SetInput(entry.Index, Dimensions(ordinal), size == 0 ? (int)bytes : -1);
        return memory[..(int)bytes];
    }

    /// <summary>Copies the input's elements, little-endian in row-major order, into the call's memory.</summary>
    public void SetRaw(ModelCall call, int ordinal, in ReadOnlySequence<byte> data)
    {
        Span<byte> memory = Allocate(call, ordinal, data.Length);
        data.CopyTo(memory);
        Entry entry = _entries[ordinal];
        if (entry.Type == TensorDataType.Bytes)
        {
            CheckFraming(ordinal, memory);
        }
        else if (entry.Type == TensorDataType.Bool && memory.IndexOfAnyExceptInRange((byte)0, (byte)1) is int at and >= 0)
        {
            throw Invalid(
                $"input {Show.Name(_tensors[entry.Index].Name)}: expected BOOL bytes of 0 or 1, got {memory[at]} at element {at}");
        }
    }

    /// <summary>Refuses a request that leaves out an input.</summary>
    public void RequireAll()
    {
        for (int i = 0; i < _tensors.Count; i++)
        {
            if (!_given[i])
            {
                throw Invalid($"input {Show.Name(_tensors[i].Name)} is missing; model {Show.Name(_model!.Name)} expects " +
                    Show.Names(_tensors));
            }
        }
    }

    private static InferenceException Invalid(string message) => new(InferenceFailure.InvalidInput, message);

    private static long CheckShape(ModelTensor tensor, ReadOnlySpan<long> shape)
    {
        bool fits = shape.Length == tensor.Dimensions.Count && shape.Length <= RequestLimits.MaxRank;
        for (int i = 0; fits && i < shape.Length; i++)
        {
            fits = tensor.Dimensions[i] < 0 ? shape[i] is >= 0 and <= int.MaxValue : shape[i] == tensor.Dimensions[i];
        }

        if (!fits)
        {
            throw Invalid(
                $"input {Show.Name(tensor.Name)}: expected shape {Show.Shape(tensor.Dimensions)}, got {Show.Shape(shape)}" +
                (tensor.Dimensions.Any(extent => extent < 0) ? "; -1 stands for any extent" : ""));
        }

        // An extent of 0 makes the product 0 whatever the others are, so it is looked for first: the rest cannot overflow unseen.
        if (shape.Contains(0))
        {
            return 0;
        }

        long elements = 1;
        foreach (long extent in shape)
        {
            elements = elements > int.MaxValue ? long.MaxValue : elements * extent;
        }

        return elements;
    }

    private void RequireWithinLimit(ModelTensor tensor, long count, int size)
    {
        long most = Math.Min(_maxTensorBytes, Array.MaxLength);
        if (count > most / size)
        {
            throw new RequestTooLargeException(
                $"input {Show.Name(tensor.Name)}: expected at most {most} bytes in a tensor, got " +
                (count > long.MaxValue / size ? "more" : $"{count * size}"));
        }
    }

    private void CheckFraming(int ordinal, ReadOnlySpan<byte> memory)
    {
        Entry entry = _entries[ordinal];
        ReadOnlySpan<byte> rest = memory;
        for (int i = 0; i < entry.Elements; i++)
        {
            if (rest.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(rest) > rest.Length - sizeof(uint))
            {
                throw Invalid(
                    $"input {Show.Name(_tensors[entry.Index].Name)}: BYTES data ends within element {i} of {entry.Elements}; " +
                    "each element is its length as a little-endian uint32 and that many bytes");
            }

            rest = rest[(sizeof(uint) + (int)BinaryPrimitives.ReadUInt32LittleEndian(rest))..];
        }

        if (rest.Length != 0)
        {
            throw Invalid(
                $"input {Show.Name(_tensors[entry.Index].Name)}: expected {entry.Elements} BYTES elements, and {rest.Length} bytes " +
                "are left behind them");
        }
    }

    private readonly record struct Entry(int Index, TensorDataType Type, int Elements, int FirstExtent, int Rank);
}
