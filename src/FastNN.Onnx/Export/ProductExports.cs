using FastNN.Ops;
using FastNN.Tensors;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Matrix products. Weights of dense layers lie as PyTorch has them, [out, in], where Gemm takes them.</summary>
internal static class ProductExports
{
    public static void Dense(ExportCall call)
    {
        Activation activation = ((DenseOp)call.Op).Activation;
        ExportValue x = call.X;
        FeatureOrder? features = x.IsFlat ? x.Features : null;
        string? bias = call.InputCount > 2 ? call.Input(2).Plain : null;
        ConstantSource? weight = call.Input(1).Constant;
        string y;
        if (x.Rank == 2)
        {
            string form = features is null || weight is null ? x.Plain : x.Flat;
            string matrix = weight is null
                ? call.Input(1).Plain
                : weight.Arranged([1, 0], places: features is null ? null : (0, features.FromFile()));
            string[] inputs = bias is null ? [form, matrix] : [form, matrix, bias];
            y = weight is null
                ? call.Emit.Add("Gemm", inputs)
                : call.Emit.Add("Gemm", inputs, Attribute("transB", 1));
        }
        else
        {
            y = call.Emit.Op("MatMul", x.Plain, call.Input(1).Plain);
            y = bias is null ? y : call.Emit.Op("Add", y, bias);
        }

        call.Plain(FunctionExports.Write(call.Emit, activation, y));
    }

    public static void MatMul(ExportCall call)
    {
        var op = (MatMulOp)call.Op;
        call.Plain(call.Emit.Op("MatMul", Operand(call, 0, op.TransposeA), Operand(call, 1, op.TransposeB)));
    }

    /// <summary>A sparse matrix becomes a dense one: ONNX multiplies with no other.</summary>
    public static void Sparse(ExportCall call)
    {
        var op = (SparseOp)call.Op;
        if (call.Input(2).Constant is not { } starts || call.Input(3).Constant is not { } columns)
        {
            throw call.Refuse("the places of the elements must be constants");
        }

        (int[] from, int[] at) = (starts.Int32s, columns.Int32s);
        var places = new long[(long)op.Stored * op.Block];
        for (int row = 0; row < op.Rows / op.Block; row++)
        {
            for (int block = from[row]; block < from[row + 1]; block++)
            {
                for (int i = 0; i < op.Block; i++)
                {
                    places[(block * op.Block) + i] = (((row * op.Block) + i) * (long)op.Columns) + at[block];
                }
            }
        }

        call.Plain(call.Emit.Op("MatMul", Matrix(call, op, places), call.Input(1).Plain));
    }

    private static string Matrix(ExportCall call, SparseOp op, long[] places)
    {
        var dense = new float[(long)op.Rows * op.Columns];
        if (call.X.Constant is { } values)
        {
            float[] numbers = values.Floats;
            for (int i = 0; i < places.Length; i++)
            {
                dense[places[i]] = numbers[i];
            }

            return call.Emit.Weights(values.Name, dense, op.Rows, op.Columns);
        }

        string given = call.Emit.Op("Reshape", call.X.Plain, call.Emit.Longs(places.Length));
        string filled = call.Emit.Add(
            "ScatterElements", [call.Emit.Floats(dense, dense.Length), call.Emit.Longs(places), given]);
        return call.Emit.Op("Reshape", filled, call.Emit.Longs(op.Rows, op.Columns));
    }

    private static string Operand(ExportCall call, int input, bool transposed)
    {
        ExportValue x = call.Input(input);
        if (!transposed)
        {
            return x.Plain;
        }

        int[] order = [.. Enumerable.Range(0, x.Rank - 2), x.Rank - 1, x.Rank - 2];
        return x.Constant is { } constant ? constant.Arranged(order) : call.Emit.Transpose(x.Plain, order);
    }
}
