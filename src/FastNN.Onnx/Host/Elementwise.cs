using System.Numerics;

namespace FastNN.Onnx.Host;

/// <summary>A function of two elements of one type.</summary>
internal interface IBinary
{
    static abstract T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T>;
}

/// <summary>A relation between two elements of one type.</summary>
internal interface IRelation
{
    static abstract bool Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T>;
}

/// <summary>A function of one float.</summary>
internal interface IFloatFunction
{
    static abstract T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>Functions of elements: arithmetic, comparisons, logic, activations.</summary>
internal static class Elementwise
{
    /// <summary>The loop of all functions of two elements.</summary>
    private readonly struct BinaryAction<TFunction>(HostCall call, OnnxTensor a, OnnxTensor b) : ITypeAction
        where TFunction : IBinary
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            int[] dims = Shapes.Broadcast(call, a.Dims, b.Dims);
            T[] x = a.Array<T>(), y = b.Array<T>(), z = new T[Shapes.Product(dims)];
            int[]? xs = Shapes.BroadcastPlaces(a.Dims, dims), ys = Shapes.BroadcastPlaces(b.Dims, dims);
            for (int i = 0; i < z.Length; i++)
            {
                z[i] = TFunction.Invoke(x[xs is null ? i : xs[i]], y[ys is null ? i : ys[i]]);
            }

            return new OnnxTensor(a.ElementType, dims, z);
        }
    }

    private readonly struct RelationAction<TRelation>(HostCall call, OnnxTensor a, OnnxTensor b) : ITypeAction
        where TRelation : IRelation
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            int[] dims = Shapes.Broadcast(call, a.Dims, b.Dims);
            T[] x = a.Array<T>(), y = b.Array<T>();
            var z = new bool[Shapes.Product(dims)];
            int[]? xs = Shapes.BroadcastPlaces(a.Dims, dims), ys = Shapes.BroadcastPlaces(b.Dims, dims);
            for (int i = 0; i < z.Length; i++)
            {
                z[i] = TRelation.Invoke(x[xs is null ? i : xs[i]], y[ys is null ? i : ys[i]]);
            }

            return new OnnxTensor(OnnxElementType.Bool, dims, z);
        }
    }

    private readonly struct FloatAction<TFunction>(OnnxTensor x, double a, double b) : IFloatAction
        where TFunction : IFloatFunction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, IFloatingPointIeee754<T>, IMinMaxValue<T>
        {
            T[] from = x.Array<T>(), to = new T[from.Length];
            T first = T.CreateTruncating(a), second = T.CreateTruncating(b);
            for (int i = 0; i < to.Length; i++)
            {
                to[i] = TFunction.Invoke(from[i], first, second);
            }

            return new OnnxTensor(x.ElementType, x.Dims, to);
        }
    }

    /// <summary>A function of two tensors of one type that broadcast.</summary>
    public static HostKernel Binary<TFunction>()
        where TFunction : IBinary => call =>
        {
            (OnnxTensor a, OnnxTensor b) = Pair(call);
            return HostCall.One(Binary<TFunction>(call, a, b));
        };

    public static OnnxTensor Binary<TFunction>(HostCall call, OnnxTensor a, OnnxTensor b)
        where TFunction : IBinary =>
        Numbers.Dispatch(a.ElementType, new BinaryAction<TFunction>(call, a, b));

    /// <summary>A function of two or more tensors, applied from the left.</summary>
    public static HostKernel Variadic<TFunction>()
        where TFunction : IBinary => call =>
        {
            OnnxTensor result = call.Tensor(0);
            for (int i = 1; i < call.InputCount; i++)
            {
                OnnxTensor next = call.Tensor(i);
                Same(call, result, next);
                result = Binary<TFunction>(call, result, next);
            }

            return HostCall.One(result);
        };

    public static HostKernel Relation<TRelation>()
        where TRelation : IRelation => call =>
        {
            (OnnxTensor a, OnnxTensor b) = Pair(call);
            if (a.ElementType == OnnxElementType.Bool)
            {
                a = Numbers.Convert(a, OnnxElementType.UInt8);
                b = Numbers.Convert(b, OnnxElementType.UInt8);
            }
            else if (a.ElementType == OnnxElementType.String)
            {
                return HostCall.One(Strings.Equal(call, a, b));
            }

            return HostCall.One(Numbers.Dispatch(a.ElementType, new RelationAction<TRelation>(call, a, b)));
        };

    /// <summary>Logic of truth values that broadcast.</summary>
    public static HostKernel Logic(Func<bool, bool, bool> function) => call =>
    {
        (OnnxTensor a, OnnxTensor b) = Pair(call);
        if (a.ElementType != OnnxElementType.Bool)
        {
            throw call.Error("tensors of BOOL", a.ToString());
        }

        int[] dims = Shapes.Broadcast(call, a.Dims, b.Dims);
        bool[] x = Shapes.BroadcastTo(a, dims).Array<bool>(), y = Shapes.BroadcastTo(b, dims).Array<bool>();
        var z = new bool[x.Length];
        for (int i = 0; i < z.Length; i++)
        {
            z[i] = function(x[i], y[i]);
        }

        return HostCall.One(new OnnxTensor(OnnxElementType.Bool, dims, z));
    };

    /// <summary>A function of a tensor of floats, without parameters.</summary>
    public static HostKernel Float<TFunction>()
        where TFunction : IFloatFunction => Float<TFunction>(_ => (0, 0));

    /// <summary>A function of a tensor of floats, with up to two parameters among the attributes.</summary>
    public static HostKernel Float<TFunction>(Func<HostCall, (double A, double B)> parameters)
        where TFunction : IFloatFunction => call =>
        {
            (double a, double b) = parameters(call);
            return HostCall.One(Float<TFunction>(call.Tensor(0), a, b));
        };

    public static OnnxTensor Float<TFunction>(OnnxTensor x, double a = 0, double b = 0)
        where TFunction : IFloatFunction => Numbers.DispatchFloat(x.ElementType, new FloatAction<TFunction>(x, a, b));

    public static OnnxValue?[] Not(HostCall call) => HostCall.One(new OnnxTensor(
        OnnxElementType.Bool, call.Tensor(0).Dims, Array.ConvertAll((bool[])call.Tensor(0).Data, b => !b)));

    /// <summary>The two inputs; before opset 7 the second one's axes may begin at an axis of the first.</summary>
    private static (OnnxTensor A, OnnxTensor B) Pair(HostCall call)
    {
        OnnxTensor a = call.Tensor(0), b = call.Tensor(1);
        Same(call, a, b);
        if (call.Opset < 7 && call.HasAttribute("axis"))
        {
            int axis = call.Axis(call.Int("axis", 0), a.Rank);
            if (axis + b.Rank > a.Rank)
            {
                throw call.Error("a second input whose axes are among the first one's", b.ToString());
            }

            int[] dims = new int[a.Rank - axis];
            Array.Fill(dims, 1);
            b.Dims.CopyTo(dims, 0);
            b = b.WithDims(dims);
        }

        return (a, b);
    }

    private static void Same(HostCall call, OnnxTensor a, OnnxTensor b)
    {
        if (a.ElementType != b.ElementType)
        {
            throw call.Error("inputs of one type", $"{a.ElementType.Name()} and {b.ElementType.Name()}");
        }
    }
}
