using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Inference;

/// <summary>A predictor does not change, serves many threads at once, and gives back what it took.</summary>
internal sealed class PredictorTests : TrainingFixture
{
    [Test]
    public void Later_training_does_not_change_it()
    {
        Sequential model = Toy.Built();
        using Predictor predictor = model.CreatePredictor(Device);
        float[] before = new float[Toy.Classes], after = new float[Toy.Classes];
        predictor.Predict([0.3f, -0.2f], before);
        using (Trainer trainer = Toy.Trainer(Device, model))
        {
            trainer.TrainBatch([0.3f, -0.2f], [0]);
            predictor.Predict([0.3f, -0.2f], after);
            Assert.That(after, Is.EqualTo(before));
            using Predictor trained = model.CreatePredictor(Device);
            trained.Predict([0.3f, -0.2f], after);
            Assert.That(after, Is.Not.EqualTo(before));
        }
    }

    [Test]
    public void Many_threads_get_the_answers_of_one()
    {
        const int Threads = 8;
        using Predictor predictor = Toy.Built().CreatePredictor(Device);
        float[] x = new float[2 * 40];
        Philox.FillUniform(x, 1, 1);
        float[] expected = new float[40 * Toy.Classes];
        predictor.Predict(x, expected);
        var wrong = 0;
        var threads = new Thread[Threads];
        for (int t = 0; t < Threads; t++)
        {
            int batch = 1 + (5 * t);
            threads[t] = new Thread(() =>
            {
                var y = new float[batch * Toy.Classes];
                for (int i = 0; i < 200; i++)
                {
                    predictor.Predict(x.AsSpan(0, batch * 2), y);
                    for (int j = 0; j < y.Length; j++)
                    {
                        if (Math.Abs(y[j] - expected[j]) > 1e-5)
                        {
                            Interlocked.Increment(ref wrong);
                        }
                    }
                }
            });
        }

        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Assert.That(wrong, Is.Zero);
    }

    [Test]
    public void Batches_above_the_largest_are_computed_in_pieces()
    {
        using Predictor whole = Toy.Built().CreatePredictor(Device), pieces = Toy.Built().CreatePredictor(Device, maxBatch: 3);
        var x = new float[2 * 10];
        Philox.FillUniform(x, 1, 1);
        float[] expected = new float[10 * Toy.Classes], actual = new float[10 * Toy.Classes];
        whole.Predict(x, expected);
        pieces.Predict(x, actual);
        Assert.That(actual, Is.EqualTo(expected).Within(1e-6f));
    }

    [Test]
    public void Wrong_lengths_and_use_after_disposal_are_refused()
    {
        Predictor predictor = Toy.Built().CreatePredictor(Device);
        Assert.That(() => predictor.Predict([1, 2, 3], new float[4]), Throws.TypeOf<ShapeException>());
        Assert.That(() => predictor.Predict([1, 2], new float[3]), Throws.TypeOf<ShapeException>());
        Assert.That(() => predictor.Predict([], []), Throws.TypeOf<ShapeException>());
        predictor.Dispose();
        predictor.Dispose();
        Assert.That(() => predictor.Predict([1, 2], new float[4]), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Disposal_waits_for_callers_and_takes_everything_back()
    {
        Predictor predictor = Toy.Built().CreatePredictor(Device);
        using var started = new CountdownEvent(4);
        var threads = new Thread[4];
        for (int t = 0; t < threads.Length; t++)
        {
            threads[t] = new Thread(() =>
            {
                var y = new float[Toy.Classes];
                started.Signal();
                try
                {
                    while (true)
                    {
                        predictor.Predict([1, 2], y);
                    }
                }
                catch (ObjectDisposedException)
                {
                    // The end that this test is about; the fixture then counts the native blocks.
                }
            });
            threads[t].Start();
        }

        started.Wait();
        predictor.Dispose();
        foreach (Thread thread in threads)
        {
            Assert.That(thread.Join(TimeSpan.FromSeconds(20)), "a caller did not come back");
        }
    }
}
