namespace FastNN.Users.Tests.Guides;

/// <summary>The code of docs/guides/custom-operators.md, as the page shows it, and what it must give.</summary>
internal sealed class CustomOperatorGuideTests
{
    [Test]
    public void A_layer_of_operators_is_differentiated_and_trained()
    {
        LayerKinds.Register("LearnedSwish", description => new LearnedSwish { Name = description.Name });
        using Device device = Device.Cpu(1);
        float[] x = [-2, -1, -0.5f, 0.5f, 1, 2], t = [.. x.Select(value => value / (1 + MathF.Exp(-3 * value)))];
        var model = new Sequential(new LearnedSwish());
        model.Build([1]);
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Adam(0.05f), seed: 1);
        for (int step = 0; step < 300; step++)
        {
            trainer.TrainBatch(x, t);
        }

        var beta = new float[1];
        model.Parameters[0].Read(beta);
        Assert.That(beta[0], Is.EqualTo(3).Within(0.05));
        using var file = new MemoryStream();
        model.Save(file);
        file.Position = 0;
        Model loaded = Model.Load(file);
        loaded.Parameters[0].Read(beta);
        Assert.That(beta[0], Is.EqualTo(3).Within(0.05));
    }

    [Test]
    public void An_operator_has_both_passes()
    {
        using Device device = Device.Cpu(1);
        var model = new Sequential(new Dense(2), new ReverseGradient(0.5f), new Dense(1) { UseBias = false });
        var plain = new Sequential(new Dense(2), new ReverseGradient(-1), new Dense(1) { UseBias = false });
        model.Build([3], seed: 1);
        plain.Build([3], seed: 1);
        float[] reversed = GradientOfFirst(model, device), forward = GradientOfFirst(plain, device);
        Assert.That(forward, Has.Some.Not.Zero);
        Assert.That(reversed, Is.EqualTo(forward.Select(value => -0.5f * value)).Within(1e-6f));
    }

    [Test]
    public void The_gradient_is_held_against_differences()
    {
        using Device device = Device.Cpu(1);
        float[] x = [0.3f, -0.7f, 1.2f];
        var model = new Sequential(new Cube());
        model.Build([3]);
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(), seed: 1);
        float[] target = new float[3], gradient = new float[3];
        trainer.InputGradient(x, target, gradient);
        for (int i = 0; i < x.Length; i++)
        {
            float[] above = [.. x], below = [.. x];
            (above[i], below[i]) = (x[i] + 0.01f, x[i] - 0.01f);
            float difference = (trainer.Forward(above, target) - trainer.Forward(below, target)) / 0.02f;
            Assert.That(gradient[i], Is.EqualTo(difference).Within(0.01f * (1 + Math.Abs(difference))));
        }
    }

    private static float[] GradientOfFirst(Sequential model, Device device)
    {
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(), seed: 1);
        trainer.Forward([1, 2, 3], new float[] { 5 });
        trainer.Backward();
        var gradient = new float[6];
        trainer.ReadGradient(model.Parameters[0], gradient);
        return gradient;
    }

    public sealed class LearnedSwish : Layer
    {
        private Parameter? _beta;

        protected override void Build(Value x) => _beta = AddParameter("beta", [], Initializer.Constant(1));

        protected override Value Forward(Value x) => x * (x * x.Graph.Use(_beta!)).Sigmoid();

        protected override void Describe(LayerDescription description)
        {
        }
    }

    public sealed class GradientReversal(float factor) : CustomOperator
    {
        public override string Name => "GradientReversal";

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => inputs is [{ Type: DType.Float32 }]
            ? [inputs[0]]
            : throw new ShapeException($"{Name}: expected one Float32 input, got [{string.Join(", ", inputs.ToArray())}].");

        public override bool BackwardReadsInput(int input) => false;        // memory of x is free after the forward pass

        public override bool BackwardReadsOutput(int output) => false;

        public override bool KeepsFeatures(int input) => true;              // element by element: channels stay where they are

        public override void Forward(ForwardPass pass) => pass.Input(0).CopyTo(pass.Output());

        public override void Backward(BackwardPass pass)
        {
            ReadOnlySpan<float> dY = pass.OutputGradient();
            Span<float> dX = pass.InputGradient(0);
            for (int i = 0; i < dX.Length; i++)
            {
                dX[i] -= factor * dY[i];                                    // gradients add up
            }
        }
    }

    public sealed class ReverseGradient(float factor) : Layer
    {
        protected override Value Forward(Value x) => new GradientReversal(factor).Apply(x);

        protected override void Describe(LayerDescription description) => description.Set("factor", factor);
    }

    public sealed class CubeOperator : CustomOperator
    {
        public override string Name => "Cube";

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => [inputs[0]];

        public override void Forward(ForwardPass pass)
        {
            ReadOnlySpan<float> x = pass.Input(0);
            Span<float> y = pass.Output();
            for (int i = 0; i < x.Length; i++)
            {
                y[i] = x[i] * x[i] * x[i];
            }
        }

        public override void Backward(BackwardPass pass)
        {
            ReadOnlySpan<float> x = pass.Input(0), dY = pass.OutputGradient();
            Span<float> dX = pass.InputGradient(0);
            for (int i = 0; i < x.Length; i++)
            {
                dX[i] += 3 * x[i] * x[i] * dY[i];
            }
        }
    }

    public sealed class Cube : Layer
    {
        protected override Value Forward(Value x) => new CubeOperator().Apply(x);
    }
}
