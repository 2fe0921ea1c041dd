using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>The loops of one function of two numbers, which the JIT compiles for it; found by the function's row.</summary>
internal abstract unsafe class BinaryLoops
{
    private static readonly BinaryLoops[] All = [.. FunctionTable.Binary.Select(row => row.Accept(default(Compiled)))];

    public static BinaryLoops Of(BinaryFunction function) => All[function.Id - 1];

    /// <summary>y (=|+=) a * b: the gradient of a product for a whole operand.</summary>
    public static void Multiply(WorkerPool pool, in BroadcastAxes axes, float* a, float* b, float* y, long count, bool accumulate)
    {
        if (accumulate)
        {
            BroadcastLoop<ValueOfPair<Functions.Multiply>, FloatPlace<Accumulate>>.Run(pool, axes, a, b, y, count);
        }
        else
        {
            BroadcastLoop<ValueOfPair<Functions.Multiply>, FloatPlace<Assign>>.Run(pool, axes, a, b, y, count);
        }
    }

    /// <summary>y = f(a, b) of floats.</summary>
    public abstract void Forward(WorkerPool pool, in BroadcastAxes axes, float* a, float* b, Tensor y);

    /// <summary>y = f(a, b) of integers or truths.</summary>
    public abstract void Integers(WorkerPool pool, in BroadcastAxes axes, DType type, void* a, void* b, Tensor y);

    /// <summary>dX (=|+=) dY df/dx in the result's shape, for operand 0 or 1.</summary>
    public abstract void Gradient(
        WorkerPool pool, int operand, in BroadcastAxes axes, float* a, float* b, float* y, Tensor dY, Tensor dX, bool accumulate);

    private readonly struct Compiled : IBinaryVisitor<BinaryLoops>
    {
        public BinaryLoops Visit<TFunction>(BinaryFunction function)
            where TFunction : struct, IBinaryFunction => new BinaryLoops<TFunction>(function.Info);
    }
}

internal sealed unsafe class BinaryLoops<TFunction>(BinaryInfo info) : BinaryLoops
    where TFunction : struct, IBinaryFunction
{
    public override void Forward(WorkerPool pool, in BroadcastAxes axes, float* a, float* b, Tensor y)
    {
        if (info.GivesTruth)
        {
            BroadcastLoop<ValueOfPair<TFunction>, TruthPlace>.Run(pool, axes, a, b, (void*)y.Address, y.Count);
        }
        else
        {
            BroadcastLoop<ValueOfPair<TFunction>, FloatPlace<Assign>>.Run(pool, axes, a, b, (void*)y.Address, y.Count);
        }
    }

    public override void Integers(WorkerPool pool, in BroadcastAxes axes, DType type, void* a, void* b, Tensor y)
    {
        if (type == DType.Bool)
        {
            IntegerLoop<TFunction, byte, byte>.Run(pool, axes, a, b, y);
        }
        else if (y.Type == DType.Bool)
        {
            IntegerLoop<TFunction, int, byte>.Run(pool, axes, a, b, y);
        }
        else
        {
            IntegerLoop<TFunction, int, int>.Run(pool, axes, a, b, y);
        }
    }

    public override void Gradient(
        WorkerPool pool, int operand, in BroadcastAxes axes, float* a, float* b, float* y, Tensor dY, Tensor dX, bool accumulate)
    {
        if (operand == 0)
        {
            Gradient<FirstGradientOf<TFunction>>(pool, axes, a, b, y, dY, dX, accumulate);
        }
        else
        {
            Gradient<SecondGradientOf<TFunction>>(pool, axes, a, b, y, dY, dX, accumulate);
        }
    }

    private static void Gradient<TGradient>(
        WorkerPool pool, in BroadcastAxes axes, float* a, float* b, float* y, Tensor dY, Tensor dX, bool accumulate)
        where TGradient : struct, IPairGradient
    {
        var body = new GradientBody<TGradient>(a, b, y, (float*)dY.Address, (float*)dX.Address);
        if (accumulate)
        {
            body.Run<Accumulate>(pool, axes, dY.Count);
        }
        else
        {
            body.Run<Assign>(pool, axes, dY.Count);
        }
    }
}

/// <summary>A function's value, for the loops.</summary>
internal readonly struct ValueOfPair<TFunction> : IBinaryOperator
    where TFunction : struct, IBinaryFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x, TLanes y)
        where TLanes : struct, ILanes<TLanes> => TFunction.Value(x, y);
}

/// <summary>A function of its operands the other way round, so that what repeats is always the second.</summary>
internal readonly struct Swapped<TOperator> : IBinaryOperator
    where TOperator : struct, IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x, TLanes y)
        where TLanes : struct, ILanes<TLanes> => default(TOperator).Invoke(y, x);
}

/// <summary>A gradient of a function of two numbers.</summary>
internal interface IPairGradient
{
    static abstract TLanes Invoke<TLanes>(TLanes a, TLanes b, TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes>;
}

internal readonly struct FirstGradientOf<TFunction> : IPairGradient
    where TFunction : struct, IBinaryFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Invoke<TLanes>(TLanes a, TLanes b, TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => TFunction.FirstGradient(a, b, y, dY);
}

internal readonly struct SecondGradientOf<TFunction> : IPairGradient
    where TFunction : struct, IBinaryFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Invoke<TLanes>(TLanes a, TLanes b, TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => TFunction.SecondGradient(a, b, y, dY);
}

/// <summary>dX (=|+=) dY df/dx, each operand with its step from element to element, 1 or 0.</summary>
internal readonly unsafe struct GradientBody<TGradient>(float* a, float* b, float* y, float* dY, float* dX)
    where TGradient : struct, IPairGradient
{
    public void Run<TStore>(WorkerPool pool, in BroadcastAxes axes, long count)
        where TStore : struct, IStore
    {
        if (axes.Rank > 1)
        {
            RowLoop.Run(pool, axes.Outer, axes.Inner, new Rows<TStore>(axes, this));
        }
        else if (count != 0)
        {
            ElementLoop.Run(pool, count, new Part<TStore>(this, axes.InnerA != 0, axes.InnerB != 0));
        }
    }

    private GradientBody<TGradient> At(nint first, nint second, nint whole) =>
        new(a + first, b + second, y + whole, dY + whole, dX + whole);

    private readonly struct Part<TStore>(GradientBody<TGradient> at, bool aRuns, bool bRuns) : IElementBody
        where TStore : struct, IStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes left = aRuns ? TLanes.Load(at.A + i, count) : TLanes.Broadcast(*at.A);
            TLanes right = bRuns ? TLanes.Load(at.B + i, count) : TLanes.Broadcast(*at.B);
            TStore.Store(
                at.DX + i, TGradient.Invoke(left, right, TLanes.Load(at.Y + i, count), TLanes.Load(at.DY + i, count)), count);
        }
    }

    private float* A => a;

    private float* B => b;

    private float* Y => y;

    private float* DY => dY;

    private float* DX => dX;

    private readonly struct Rows<TStore>(BroadcastAxes axes, GradientBody<TGradient> body) : IRowBody
        where TStore : struct, IStore
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint first, out nint second);
                ElementLoop.Range<TLanes,
                Part<TStore>>(new(body.At(first, second, row * axes.Inner), axes.InnerA != 0, axes.InnerB != 0), 0, axes.Inner);
            }
        }
    }
}
