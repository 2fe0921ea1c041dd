using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastNN.Onnx.Model;

namespace FastNN.Onnx;

/// <summary>What flows along an edge of an ONNX graph: a tensor, a sequence of values, a map, or an optional.</summary>
public abstract class OnnxValue
{
    private protected OnnxValue()
    {
    }

    /// <summary>Reads what still stands in a file, for a caller who may keep the value longer than that is open.</summary>
    internal void ReadAll()
    {
        switch (this)
        {
            case OnnxTensor tensor:
                _ = tensor.Data;
                break;
            case OnnxSequence sequence:
                foreach (OnnxValue item in sequence.Items)
                {
                    item.ReadAll();
                }

                break;
            case OnnxOptional optional:
                optional.Value?.ReadAll();
                break;
        }
    }
}

/// <summary>A sequence of values.</summary>
public sealed class OnnxSequence : OnnxValue
{
    /// <summary>A sequence of these values, which are not copied.</summary>
    public OnnxSequence(IEnumerable<OnnxValue> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        Items = [.. items];
    }

    /// <summary>The values in order.</summary>
    public IReadOnlyList<OnnxValue> Items { get; }

    /// <summary>As in <c>sequence of 3</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"sequence of {Items.Count}");
}

/// <summary>A map from text or integers to numbers or text, as models of ai.onnx.ml give and take them.</summary>
public sealed class OnnxMap : OnnxValue
{
    /// <summary>A map from each key to the value in its place; neither is copied.</summary>
    /// <param name="keys">Text or 64-bit integers, in one row.</param>
    /// <param name="values">As many values, in one row.</param>
    /// <exception cref="ArgumentException">The keys have another type, or their number is not that of the values.</exception>
    public OnnxMap(OnnxTensor keys, OnnxTensor values)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(values);
        if (keys.ElementType is not (OnnxElementType.String or OnnxElementType.Int64) || keys.Rank != 1 || values.Rank != 1
            || keys.Count != values.Count)
        {
            throw new ArgumentException($"OnnxMap: expected keys STRING[n] or INT64[n] and n values, got {keys} and {values}.");
        }

        (Keys, Values) = (keys, values);
    }

    /// <summary>The keys, in one row.</summary>
    public OnnxTensor Keys { get; }

    /// <summary>The value of each key.</summary>
    public OnnxTensor Values { get; }

    /// <summary>As in <c>map from INT64 to FLOAT of 3</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"map from {Keys.ElementType.Name()} to {Values.ElementType.Name()} of {Keys.Count}");
}

/// <summary>An optional: a value, or nothing.</summary>
public sealed class OnnxOptional : OnnxValue
{
    /// <summary>An optional that holds a value, or nothing.</summary>
    public OnnxOptional(OnnxValue? value) => Value = value;

    /// <summary>What it holds; null where it holds nothing.</summary>
    public OnnxValue? Value { get; }

    /// <summary>As in <c>optional FLOAT[2, 3]</c>.</summary>
    public override string ToString() => $"optional {Value?.ToString() ?? "without a value"}";
}

/// <summary>
/// A dense tensor of any of ONNX's element types, in managed memory, row-major. Elements are stored as the type that C# has for
/// them; bfloat16 and the 8-bit floats as their bits (<see cref="ushort"/>, <see cref="byte"/>), integers below a byte as one
/// <see cref="byte"/> or <see cref="sbyte"/> each.
/// </summary>
public sealed class OnnxTensor : OnnxValue
{
    private readonly int[] _dims;
    private readonly Array? _data;
    private readonly StoredElements? _stored;

    internal OnnxTensor(OnnxElementType type, int[] dims, Array data)
        : this(type, dims) => _data = data;

    internal OnnxTensor(OnnxElementType type, int[] dims, StoredElements stored)
        : this(type, dims) => _stored = stored;

    private OnnxTensor(OnnxElementType type, int[] dims) => (ElementType, _dims) = (type, dims);

    /// <summary>The type of the elements.</summary>
    public OnnxElementType ElementType { get; }

    /// <summary>The extents; none for a scalar.</summary>
    public ReadOnlySpan<int> Dimensions => _dims;

    /// <summary>How many elements there are.</summary>
    public int Count => _data?.Length ?? _stored!.Count;

    /// <summary>The extents as an array that nobody changes.</summary>
    internal int[] Dims => _dims;

    internal int Rank => _dims.Length;

    /// <summary>The elements, an array of the type's storage; read from the file at first where they stand in one.</summary>
    internal Array Data => _data ?? _stored!.Array;

    /// <summary>The elements as bytes, where they are: those in a file stay there. Not for strings.</summary>
    internal ReadOnlySpan<byte> Stored => _stored is null ? Bytes() : _stored.Bytes;

    /// <summary>A tensor of numbers, truth values or strings.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/>, an integer type, bool or string.</typeparam>
    /// <param name="values">The elements in row-major order; not copied.</param>
    /// <param name="dimensions">The extents, whose product is the number of elements; none for a scalar.</param>
    /// <exception cref="ArgumentException">The type is not one of those, or the product is another number.</exception>
    public static OnnxTensor Create<T>(T[] values, params ReadOnlySpan<int> dimensions)
    {
        ArgumentNullException.ThrowIfNull(values);
        OnnxElementType type = TypeOf(typeof(T));
        if (type == OnnxElementType.Undefined)
        {
            throw new ArgumentException(
                $"OnnxTensor: expected elements of float, double, Half, an integer type, bool or string, got {typeof(T).Name}.");
        }

        long count = 1;
        foreach (int extent in dimensions)
        {
            count = extent < 0 ? -1 : checked(count * extent);
            if (count < 0)
            {
                break;
            }
        }

        return count == values.Length
            ? new OnnxTensor(type, dimensions.ToArray(), values)
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"OnnxTensor: expected as many values as the shape {Text(dimensions)} has, got {values.Length}."));
    }

    /// <summary>The elements.</summary>
    /// <typeparam name="T">The type that they are stored as.</typeparam>
    /// <exception cref="InvalidOperationException">They are stored as another type.</exception>
    public ReadOnlySpan<T> Values<T>() => Data is T[] values && typeof(T[]) == Data.GetType()
        ? values
        : throw new InvalidOperationException(
            $"OnnxTensor: elements of {ElementType.Name()} are stored as {Data.GetType().Name}, not {typeof(T).Name}[].");

    /// <summary>As in <c>FLOAT[2, 3]</c>.</summary>
    public override string ToString() => $"{ElementType.Name()}{Text(_dims)}";

    internal static string Text(ReadOnlySpan<int> dims) => $"[{string.Join(", ", dims.ToArray())}]";

    /// <summary>The elements as an array of their storage type; the caller knows the type.</summary>
    internal T[] Array<T>() => (T[])Data;

    /// <summary>Zeros of a type and shape.</summary>
    internal static OnnxTensor Zeros(OnnxElementType type, int[] dims) => new(type, dims, NewArray(type, CountOf(dims)));

    /// <summary>The same elements under other extents.</summary>
    internal OnnxTensor WithDims(int[] dims) =>
        _stored is null ? new OnnxTensor(ElementType, dims, Data) : new OnnxTensor(ElementType, dims, _stored);

    /// <exception cref="OverflowException">There are more elements than an array can hold.</exception>
    internal static int CountOf(ReadOnlySpan<int> dims)
    {
        long count = 1;
        foreach (int extent in dims)
        {
            // A zero anywhere makes all of it empty, however large the others are.
            if (extent == 0)
            {
                return 0;
            }
        }

        foreach (int extent in dims)
        {
            count = checked(count * extent);
            if (count > System.Array.MaxLength)
            {
                throw new OverflowException($"a tensor of shape {Text(dims)} has more than {System.Array.MaxLength} elements");
            }
        }

        return (int)count;
    }

    internal static OnnxElementType TypeOf(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Single => OnnxElementType.Float32,
        TypeCode.Double => OnnxElementType.Float64,
        TypeCode.SByte => OnnxElementType.Int8,
        TypeCode.Byte => OnnxElementType.UInt8,
        TypeCode.Int16 => OnnxElementType.Int16,
        TypeCode.UInt16 => OnnxElementType.UInt16,
        TypeCode.Int32 => OnnxElementType.Int32,
        TypeCode.UInt32 => OnnxElementType.UInt32,
        TypeCode.Int64 => OnnxElementType.Int64,
        TypeCode.UInt64 => OnnxElementType.UInt64,
        TypeCode.Boolean => OnnxElementType.Bool,
        TypeCode.String => OnnxElementType.String,
        _ => type == typeof(Half) ? OnnxElementType.Float16 : OnnxElementType.Undefined,
    };

    internal static Array NewArray(OnnxElementType type, int count) => type switch
    {
        OnnxElementType.Float32 => new float[count],
        OnnxElementType.Float64 => new double[count],
        OnnxElementType.Float16 => new Half[count],
        OnnxElementType.BFloat16 or OnnxElementType.UInt16 => new ushort[count],
        OnnxElementType.Int16 => new short[count],
        OnnxElementType.Int32 => new int[count],
        OnnxElementType.UInt32 => new uint[count],
        OnnxElementType.Int64 => new long[count],
        OnnxElementType.UInt64 => new ulong[count],
        OnnxElementType.Bool => new bool[count],
        OnnxElementType.Int8 or OnnxElementType.Int4 or OnnxElementType.Int2 => new sbyte[count],
        OnnxElementType.String => NoStrings(count),
        OnnxElementType.Complex64 or OnnxElementType.Complex128 or OnnxElementType.Undefined or > OnnxElementType.Int2 or < 0
            => throw new NotSupportedException($"tensors of {type.Name()} are not supported"),
        _ => new byte[count],
    };

    private static string[] NoStrings(int count)
    {
        var strings = new string[count];
        System.Array.Fill(strings, "");
        return strings;
    }

    /// <summary>The elements' memory as bytes; not for strings.</summary>
    internal Span<byte> Bytes() => Data switch
    {
        bool[] bools => MemoryMarshal.AsBytes(bools.AsSpan()),
        string[] => throw new NotSupportedException("strings have no fixed size"),
        _ => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(Data), checked(Data.Length * SizeOf(Data))),
    };

    private static int SizeOf(Array data) => data switch
    {
        float[] or int[] or uint[] => 4,
        double[] or long[] or ulong[] => 8,
        Half[] or short[] or ushort[] => 2,
        _ => Unsafe.SizeOf<byte>(),
    };
}
