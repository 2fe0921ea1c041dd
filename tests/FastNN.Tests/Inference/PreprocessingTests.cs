using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Inference;

/// <summary>Predictors and sessions of a model with preprocessing take raw inputs; trainers do not.</summary>
internal sealed class PreprocessingTests : TrainingFixture
{
    private static readonly float[] Raw = Uniform(3 * 2 * 2 * 3);

    [TestCase(1, Description = "one number for all")]
    [TestCase(3, Description = "one per channel")]
    [TestCase(12, Description = "one per element")]
    public void A_loaded_model_predicts_from_raw_inputs(int count)
    {
        var preprocessing = new Preprocessing(Uniform(count), Uniform(count));
        Sequential model = Network();
        float[] prepared = [.. Raw];
        preprocessing.Apply(prepared);
        float[] expected = Predict(model, prepared);
        using var stream = new MemoryStream();
        model.Save(stream, new() { Preprocessing = preprocessing });
        stream.Position = 0;
        Model loaded = Model.Load(stream);
        Near.SameBits(expected, Predict(loaded, Raw));
        using Predictor prepares = loaded.CreatePredictor(Device, applyPreprocessing: false);
        Near.SameBits(expected, prepares.Predict(prepared));
        using Session session = loaded.CreateSession(Device);
        var y = new float[expected.Length];
        session.Run(Raw, y);
        Near.SameBits(expected, y);
    }

    [Test]
    public void Larger_batches_than_the_predictor_computes_at_once_are_prepared_too()
    {
        Model model = Model.Of(Network());
        using Predictor prepared = model.CreatePredictor(Device, maxBatch: 2);
        model.Preprocessing = Preprocessing.Scaling(0.25f);
        using Predictor raw = model.CreatePredictor(Device, maxBatch: 2);
        Near.SameBits(prepared.Predict([.. Raw.Select(value => value / 4)]), raw.Predict(Raw));
    }

    [Test]
    public void A_trainer_takes_data_that_is_prepared_already()
    {
        Model model = Model.Of(Toy.Built());
        float[] expected = Train(model);
        Model same = Model.Of(Toy.Built());
        same.Preprocessing = new Preprocessing([3, 4], [5, 6]);
        Near.SameBits(expected, Train(same));

        float[] Train(Model trained)
        {
            using Trainer trainer = Toy.Trainer(Device, trained);
            trainer.Fit(Toy.Points(32));
            return trainer.Predict(Toy.Points(8));
        }
    }

    [Test]
    public void Numbers_that_do_not_fit_the_input_are_refused()
    {
        Model model = Model.Of(Network());
        model.Preprocessing = new Preprocessing([1, 2], [1, 1]);
        Assert.That(
            () => model.CreatePredictor(Device),
            Throws.TypeOf<ShapeException>().With.Message.Contains("[2, 2, 3]").And.Message.Contains("got 2"));
        Symbol a = Model.Input("a", [3]), b = Model.Input("b", [3]);
        var two = new Model([a, b], [("sum", a + b)]) { Preprocessing = Preprocessing.Scaling(2) };
        two.Build();
        Assert.That(
            () => two.CreateSession(Device), Throws.InvalidOperationException.With.Message.Contains("ApplyPreprocessing"));
    }

    private static Sequential Network()
    {
        var model = new Sequential(new Flatten(), new Dense(5, Activation.Tanh), new Dense(2));
        model.Build([2, 2, 3], seed: 2);
        return model;
    }

    private float[] Predict(Layer model, float[] x)
    {
        using Predictor predictor = model.CreatePredictor(Device);
        return predictor.Predict(x);
    }

    private static float[] Uniform(int count)
    {
        var values = new float[count];
        Philox.FillUniform(values, 1, (uint)count);
        return values;
    }
}
