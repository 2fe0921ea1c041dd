using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastNN.Inference;
using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// A call of a session under way: write all inputs, compute, read outputs, dispose. It has the memory of one call to itself and
/// may write and compute again before it is disposed.
/// </summary>
public readonly ref struct SessionRun
{
    // Below, pinning the array costs what copying does.
    private const int LeastLentBytes = 8 << 10;

    private readonly Session? _session;
    private readonly SessionContext? _context;
    private readonly int _rental;

    internal SessionRun(Session session, SessionContext context)
    {
        (_session, _context) = (session, context);
        _rental = context.Rental;
    }

    private SessionContext Context => _context is { } context && context.Rental == _rental
        ? context
        : throw new ObjectDisposedException(nameof(SessionRun), "SessionRun: the run was disposed.");

    /// <summary>Writes an input.</summary>
    /// <typeparam name="T">What its elements are: float for Float32, int for Int32, and so on.</typeparam>
    /// <param name="name">The input's name.</param>
    /// <param name="values">All its elements, in row-major order.</param>
    /// <exception cref="ArgumentException">No input has this name or index, or its elements are of another type.</exception>
    /// <exception cref="ShapeException">The number of values is wrong.</exception>
    /// <exception cref="InvalidDatasetException">An operator indexes with a value that is out of its range, such as the rows of
    /// an embedding.</exception>
    public void Write<T>(string name, ReadOnlySpan<T> values)
        where T : unmanaged => Write(Find(Inputs, name, "input"), values);

    /// <summary>Writes an input.</summary>
    /// <typeparam name="T">What its elements are: float for Float32, int for Int32, and so on.</typeparam>
    /// <param name="index">The input's place in <see cref="Session.Inputs"/>.</param>
    /// <param name="values">All its elements, in row-major order.</param>
    /// <exception cref="ArgumentException">No input has this name or index, or its elements are of another type.</exception>
    /// <exception cref="ShapeException">The number of values is wrong.</exception>
    /// <exception cref="InvalidDatasetException">An operator indexes with a value that is out of its range, such as the rows of
    /// an embedding.</exception>
    public void Write<T>(int index, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        RequireIndex(index, Inputs.Count);
        Tensor tensor = Context.Input(index);
        Require<T>(tensor, values.Length, "input", Inputs[index].Name);
        Context.Write(index, MemoryMarshal.AsBytes(values));
    }

    /// <summary>
    /// As <see cref="Write{T}(int, ReadOnlySpan{T})"/> of a part of an array, which the caller leaves as it is until
    /// <see cref="Compute"/> has returned: a large one is read where it lies, if the device can.
    /// </summary>
    internal void Lend<T>(int index, T[] values, int first, int count)
        where T : unmanaged
    {
        RequireIndex(index, Inputs.Count);
        Require<T>(Context.Input(index), count, "input", Inputs[index].Name);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values.AsSpan(first, count));
        if (bytes.Length < LeastLentBytes || !Context.Lend(index, values, (nint)first * Unsafe.SizeOf<T>(), bytes))
        {
            Context.Write(index, bytes);
        }
    }

    /// <summary>
    /// As <see cref="Write{T}(int, ReadOnlySpan{T})"/> of an input's elements as bytes, which lie at the beginning of an array
    /// that the caller leaves as it is until <see cref="Compute"/> has returned.
    /// </summary>
    internal void LendBytes(int index, byte[] owner, int count)
    {
        RequireIndex(index, Inputs.Count);
        Tensor tensor = Context.Input(index);
        if (count != tensor.Bytes)
        {
            throw new ShapeException(
                $"Session: expected {tensor.Bytes} bytes for input '{Inputs[index].Name}' of shape {tensor.Shape}, got {count}.");
        }

        if (count < LeastLentBytes || !Context.Lend(index, owner, 0, owner.AsSpan(0, count)))
        {
            Context.Write(index, owner.AsSpan(0, count));
        }
    }

    /// <summary>Computes all outputs.</summary>
    /// <exception cref="InvalidOperationException">An input was not written since the last time.</exception>
    public void Compute()
    {
        if (Context.FirstUnwritten() is >= 0 and var index)
        {
            throw new InvalidOperationException(
                $"SessionRun: nothing was written to input '{Inputs[index].Name}'; write all inputs before each Compute.");
        }

        Context.Compute(Owner.Observer);
    }

    /// <summary>The shape of an output of this call.</summary>
    /// <param name="index">The output's place in <see cref="Session.Outputs"/>.</param>
    /// <exception cref="ArgumentException">No output has this name or index.</exception>
    public Shape OutputShape(int index)
    {
        RequireIndex(index, Outputs.Count);
        return Context.Output(index).Shape;
    }

    /// <summary>The shape of an output of this call.</summary>
    /// <param name="name">The output's name.</param>
    /// <exception cref="ArgumentException">No output has this name or index.</exception>
    public Shape OutputShape(string name) => OutputShape(Find(Outputs, name, "output"));

    /// <summary>Copies an output out.</summary>
    /// <typeparam name="T">What its elements are: float for Float32, int for Int32, and so on.</typeparam>
    /// <param name="name">The output's name.</param>
    /// <param name="values">Receives all its elements; exactly as long.</param>
    /// <exception cref="ArgumentException">No output has this name or index, or its elements are of another type.</exception>
    /// <exception cref="ShapeException">The length is wrong.</exception>
    /// <exception cref="InvalidOperationException">Nothing was computed.</exception>
    public void Read<T>(string name, Span<T> values)
        where T : unmanaged => Read(Find(Outputs, name, "output"), values);

    /// <summary>Copies an output out.</summary>
    /// <typeparam name="T">What its elements are: float for Float32, int for Int32, and so on.</typeparam>
    /// <param name="index">The output's place in <see cref="Session.Outputs"/>.</param>
    /// <param name="values">Receives all its elements; exactly as long.</param>
    /// <exception cref="ArgumentException">No output has this name or index, or its elements are of another type.</exception>
    /// <exception cref="ShapeException">The length is wrong.</exception>
    /// <exception cref="InvalidOperationException">Nothing was computed.</exception>
    public void Read<T>(int index, Span<T> values)
        where T : unmanaged
    {
        RequireIndex(index, Outputs.Count);
        Require<T>(Context.Output(index), values.Length, "output", Outputs[index].Name);
        if (!Context.IsComputed)
        {
            throw new InvalidOperationException("SessionRun: there is nothing to read before Compute.");
        }

        Context.Read(index, MemoryMarshal.AsBytes(values));
    }

    /// <summary>The bytes of an output where they arrived; valid until the run computes again or is disposed.</summary>
    internal ReadOnlySpan<byte> OutputBytes(int index)
    {
        RequireIndex(index, Outputs.Count);
        return Context.IsComputed
            ? Context.Peek(index)
            : throw new InvalidOperationException("SessionRun: there is nothing to read before Compute.");
    }

    /// <summary>Gives the memory of the call back to the session; a second time does nothing.</summary>
    public void Dispose()
    {
        if (_context is { } context && context.Rental == _rental)
        {
            context.Rental++;
            context.TakeBack();
            _session!.Return(context);
        }
    }

    private IReadOnlyList<SessionValue> Inputs => Owner.Inputs;

    private IReadOnlyList<SessionValue> Outputs => Owner.Outputs;

    private Session Owner =>
        _session ?? throw new InvalidOperationException("SessionRun: expected a run that Session.Begin gave.");

    private static int Find(IReadOnlyList<SessionValue> values, string name, string what)
    {
        for (int i = 0; i < values.Count; i++)
        {
            if (values[i].Name == name)
            {
                return i;
            }
        }

        throw new ArgumentException(
            $"Session: there is no {what} '{name}'; the {what}s are {string.Join(", ", values.Select(value => $"'{value.Name}'"))}.");
    }

    private static void RequireIndex(int index, int count)
    {
        if ((uint)index >= (uint)count)
        {
            throw new ArgumentOutOfRangeException(nameof(index), index, $"expected 0 to {count - 1}.");
        }
    }

    private static void Require<T>(Tensor tensor, int length, string what, string name)
        where T : unmanaged
    {
        if (!Holds<T>(tensor.Type))
        {
            throw new ArgumentException($"Session: {what} '{name}' is {tensor.Type}, got values of type {typeof(T).Name}.");
        }

        if (length != tensor.Count)
        {
            throw new ShapeException(
                $"Session: expected {tensor.Count} values for {what} '{name}' of shape {tensor.Shape}, got {length}.");
        }
    }

    private static bool Holds<T>(DType type) => type switch
    {
        DType.Float32 => typeof(T) == typeof(float),
        DType.Float64 => typeof(T) == typeof(double),
        DType.Float16 => typeof(T) == typeof(Half),
        DType.BFloat16 => typeof(T) == typeof(ushort),
        DType.Int8 => typeof(T) == typeof(sbyte),
        DType.UInt8 => typeof(T) == typeof(byte),
        DType.Int32 => typeof(T) == typeof(int),
        DType.Int64 => typeof(T) == typeof(long),
        DType.Bool => typeof(T) == typeof(bool) || typeof(T) == typeof(byte),
        _ => false,
    };
}
