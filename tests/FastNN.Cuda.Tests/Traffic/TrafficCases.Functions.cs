using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Cuda.Tests;

/// <summary>Every function, cast, reduction and update that is printed from a table or a template.</summary>
internal static partial class TrafficCases
{
    private static readonly DType[] Types =
    [
        DType.Float32, DType.Float16, DType.BFloat16, DType.Float64, DType.Int32, DType.Int64, DType.Int8, DType.UInt8,
        DType.Bool,
    ];

    private static IEnumerable<TrafficCase> Functions =>
    [
        new("functions of one number", FunctionTable.Unary.Select(row => Unary(new Activation(row, row.Info.Defaults)))),
        new(
            "functions of two numbers",
            from function in FunctionTable.Binary
            where function.Info.Takes(OperandTypes.Floats)
            from pattern in new (int[] A, int[] B)[] { ([129, 131], [129, 131]), ([257, 66], [66]), ([257, 66], [257, 1]) }
            select ElementwiseCases.Case(function, new Shape(pattern.A), new Shape(pattern.B)),
            // A row or column is read again for every element but in the functions that have loops for them.
            ("binary_axes_", 2.02), ("binary_gradient_", 1.64)),
        new(
            "functions of integers and truths",
            from function in FunctionTable.Binary
            from type in new[] { DType.Int32, DType.Bool }
            where function.Info.Takes(type == DType.Int32 ? OperandTypes.Integers : OperandTypes.Truths)
            select Typed(function, type)),
        new(
            "casts",
            from first in Types
            from second in Types
            select new OpCase(
                $"{first} to {second}",
                [OpInput.Integers("x", new Shape(70_001), 0, 100, DType.Float32)],
                x => x[0].Cast(first).Cast(second).Cast(DType.Float32), _ => [])),
        new(
            "gradients of several casts",
            from first in Types[..4]
            from second in Types[..4]
            select new OpCase($"{first} and {second}", [X(70_001)], x => Casts(x[0].Cast(first), second), _ => [])),
        new("reductions", Reductions),
        new(
            "reductions of integers",
            from type in new[] { DType.Int32, DType.Bool }
            from fold in Enum.GetValues<IntegerFold>()
            from axes in new int[][] { [0], [1], [0, 1] }
            select new OpCase(
                $"{fold} of {type} over {new Shape(axes)}",
                [
                    type == DType.Bool
                        ? OpInput.Bits("x", new Shape(512, 2048))
                        : OpInput.Integers("x", new Shape(512, 2048), -2, 2, type)],
                x => Fold(fold, x[0], axes).Cast(DType.Float32), _ => [])),
        new(
            "losses",
            from loss in FunctionTable.Losses
            from reduction in new[] { Reduction.None, Reduction.Mean }
            select Loss(loss, reduction),
            // The weights of positives are read again in every row.
            ("elementloss_backward_weighted", 1.44), ("elementloss_each_weighted", 1.42), ("elementloss_sum_weighted", 1.63)),
        new(
            "cross-entropy", CrossEntropies,
            // Rows of more than 2041 classes are read again, as are targets that are probabilities and more than 96.
            ("crossentropy_forward_long", 2.02), ("crossentropy_backward_probabilities", 2.03)),
        new(
            "extremes of rows and columns",
            from axis in new[] { 0, 1 }
            select new OpCase(
                $"axis {axis}", [OpInput.Distinct("x", new Shape(512, 257)).Constant()],
                x => x[0].ArgMax(axis).Cast(DType.Float32), _ => [])),
        new(
            "extremes of short columns",
            from shape in new int[][] { [300, 7, 33], [129, 13, 5], [77, 15, 129], [2000, 2, 2] }
            select new OpCase(
                $"{new Shape(shape)}", [OpInput.Distinct("x", new Shape(shape)).Constant()],
                x => x[0].ArgMax(1).Cast(DType.Float32), _ => []))
        {
            // Columns that come to shared memory with room behind every few of them.
            MostConflicts = 1.1,
        },
        new(
            "reductions of short columns",
            from function in Enum.GetValues<ReduceFunction>()
            from shape in new int[][] { [300, 7, 33], [129, 13, 35], [77, 15, 129] }
            select new OpCase(
                $"{function} {new Shape(shape)}", [OpInput.Uniform("x", new Shape(shape), 0.9, 1.1).Constant()],
                x => Reduce(function, x[0], [1]), _ => []))
        {
            MostConflicts = 1.1,
        },
        new(
            "gradients of reductions of short columns",
            from function in Enum.GetValues<ReduceFunction>()
            select new OpCase(
                $"{function}", [OpInput.Uniform("x", new Shape(300, 7, 33), 0.9, 1.1)],
                x => Reduce(function, x[0], [1]), _ => []),
            // Rows of 33 begin within sectors, which two of them move.
            ("reduce_", 1.26))
        {
            MostConflicts = 1.1,
        },
        new("penalty", [X(70_001)], x => x[0].Graph.Add(new PenaltyOp(0.3f, 0.7f), x)),
        new(
            "moving and choosing",
            from type in new[] { DType.Bool, DType.Float16, DType.Float32, DType.Int64 }
            from @case in Moves(type)
            select @case),
    ];

    private static IEnumerable<OpCase> Reductions =>
        from function in Enum.GetValues<ReduceFunction>()
        from row in new (int[] Shape, int[] Axes)[]
        {
            ([40_004], [0]), ([129, 400], [1]), ([1025, 24], [1]), ([513, 256], [0]), ([257, 257], [1]), ([4, 129, 257], [1]),
        }
        select new OpCase(
            $"{function} {new Shape(row.Shape)}", [OpInput.Uniform("x", new Shape(row.Shape), 0.9, 1.1)],
            x => Reduce(function, x[0], row.Axes), _ => []);

    private static IEnumerable<OpCase> CrossEntropies =>
        from classes in new[] { 10, 67, 1000, 5000 }
        from input in Enum.GetValues<CrossEntropyInput>()
        from indices in new[] { true, false }
        select CrossEntropyCases.Case(
            new CrossEntropyOptions(input, Reduction.Mean), indices, new Shape(200_000 / classes, classes));

    private static OpCase Unary(Activation activation) => new(
        $"{activation}", [OpInput.From("x", new Shape(70_001), activation.Function.Info.Samples)],
        x => x[0].Activate(activation), _ => []);

    private static OpCase Typed(BinaryFunction function, DType type)
    {
        OpInput Input() => type == DType.Bool
            ? OpInput.Bits("x", new Shape(129, 131))
            : OpInput.Integers("x", new Shape(129, 131), 0, 5, type);
        return new OpCase(
            $"{function} of {type}", [Input(), Input()],
            x => ElementwiseCases.Record(function, x[0], x[1]).Cast(DType.Float32), _ => []);
    }

    /// <summary>Two ways from a value to floats, whose gradients add up.</summary>
    private static Value Casts(Value x, DType type) =>
        x.Cast(type).Cast(DType.Float32) + (x.Cast(DType.Float32) * 2);

    private static OpCase Loss(LossFunction loss, Reduction reduction)
    {
        var shape = new Shape(513, 33);
        OpInput targets = loss.Info.Targets switch
        {
            LossTargets.LogProbabilities => OpInput.Uniform("targets", shape, -5, 0),
            LossTargets.Signs => OpInput.Bits("targets", shape, DType.Float32),
            _ => OpInput.Uniform("targets", shape, 0, 1),
        };
        OpInput[] inputs = [
            OpInput.From("x", shape, loss.Info.Samples), targets.Constant(),
            .. Enumerable.Repeat(
                OpInput.Uniform("positive", new Shape(33), 0.2, 3).Constant(), loss.TakesPositiveWeight ? 1 : 0)];
        return new OpCase(
            $"{loss.TextName} {reduction}", inputs,
            x => x[0].Graph.Add(new ElementLossOp(loss, loss.Info.Defaults, reduction, false, false), x), _ => []);
    }

    private static IEnumerable<OpCase> Moves(DType type)
    {
        OpInput a = OpInput.Integers("a", new Shape(256, 192), 0, 1, DType.Float32), c = OpInput.Bits("c", new Shape(256, 192));
        return
        [
            Case("where", x => ShapeOperators.Where(x[2], x[0], x[1])), Case("permute", x => x[0].Transpose()),
            Case("triangle", x => x[0].Tril()), Case("concat", x => Operators.Concat(1, x[0], x[1])),
            Case("pad", x => x[0].Pad([0, 0, 2, 3], PadMode.Constant)), Case("slice", x => x[0].Slice(1, 16, 160)),
            Case("steps", x => x[0].Slice(0, 0, 256, 2)),
        ];

        OpCase Case(string name, Func<Value[], Value> build) => new(
            $"{name} of {type}", [a, a, c], x => build([x[0].Cast(type), x[1].Cast(type), x[2]]).Cast(DType.Float32), _ => []);
    }

    private static Value Reduce(ReduceFunction function, Value x, int[] axes) => function switch
    {
        ReduceFunction.Sum => x.Sum(axes),
        ReduceFunction.Mean => x.Mean(axes),
        ReduceFunction.Max => x.Max(axes),
        ReduceFunction.Min => x.Min(axes),
        ReduceFunction.Prod => x.Prod(axes),
        ReduceFunction.Variance => x.Variance(axes),
        ReduceFunction.StandardDeviation => x.StandardDeviation(axes),
        ReduceFunction.LogSumExp => x.LogSumExp(axes),
        _ => x.Norm(function == ReduceFunction.Norm1 ? 1 : 2, axes),
    };

    private static Value Fold(IntegerFold fold, Value x, int[] axes) => fold switch
    {
        IntegerFold.Sum => x.Sum(axes),
        IntegerFold.Prod => x.Prod(axes),
        IntegerFold.Min => x.Min(axes),
        IntegerFold.Max => x.Max(axes),
        IntegerFold.Any => x.Any(axes),
        _ => x.All(axes),
    };
}
