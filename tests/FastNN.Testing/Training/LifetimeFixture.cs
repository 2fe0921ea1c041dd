using System.Runtime.CompilerServices;

namespace FastNN.Testing;

/// <summary>
/// Devices, trainers, predictors and parameters that go while others use them, in any order: nothing reads what is gone, and
/// nothing is left.
/// </summary>
internal abstract class LifetimeFixture
{
    private static readonly float[] X = [0.5f, 0.5f, -0.5f, 0.5f, 0.25f, -0.75f];
    private static readonly int[] Labels = [3, 2, 1];

    protected abstract Device Open();

    /// <summary>Native blocks, and those of the device's, that are alive.</summary>
    protected abstract long LiveBlocks { get; }

    [Test]
    public void A_device_is_disposed_under_running_predictions()
    {
        for (int round = 0; round < 20; round++)
        {
            Device device = Open();
            Sequential model = new(new Dense(96, Activation.ReLU), new Dense(96), new Dense(10));
            model.Build(new Shape(64));
            Predictor predictor = model.CreatePredictor(device);
            Exception?[] ends = new Exception?[4];
            Thread[] callers = [.. ends.Select((_, i) => new Thread(() => ends[i] = Catch(() =>
            {
                float[] x = new float[64 * 32], y = new float[10 * 32];
                while (true)
                {
                    predictor.Predict(x, y);
                }
            })))];
            Array.ForEach(callers, caller => caller.Start());
            Thread.Sleep(1 + (round % 5));
            device.Dispose();
            Array.ForEach(callers, caller => caller.Join());
            Assert.That(ends, Has.All.TypeOf<ObjectDisposedException>());
            predictor.Dispose();
        }
    }

    [Test]
    public void A_device_that_goes_first_sends_the_weights_home()
    {
        Sequential model = Toy.Built();
        Device device = Open();
        Trainer trainer = Toy.Trainer(device, model);
        trainer.TrainBatch(X, Labels);
        float[] trained = Toy.Parameters(model);
        device.Dispose();
        Near.SameBits(trained, Toy.Parameters(model));
        Assert.That(() => trainer.TrainBatch(X, Labels), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(trainer.Dispose, Throws.Nothing);
        Near.SameBits(trained, Toy.Parameters(model));

        using Device second = Open();
        using Trainer next = Toy.Trainer(second, model);
        Assert.That(float.IsFinite(next.TrainBatch(X, Labels)), "the model can be trained again");
    }

    [Test]
    public void A_device_disposed_in_a_callback_ends_the_training_and_keeps_the_weights()
    {
        Sequential model = Toy.Built();
        Device device = Open();
        using Trainer trainer = Toy.Trainer(device, model);
        Assert.That(
            () => trainer.Fit(Toy.Points(64), 3, callbacks: [new At(Hook.Batch, _ => device.Dispose())]),
            Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Toy.Parameters(model), Has.All.Matches<float>(float.IsFinite));
        Assert.That(Toy.Parameters(model), Is.Not.EqualTo(Toy.Parameters(Toy.Built())));
    }

    [Test]
    public void A_trainer_disposed_in_a_callback_ends_with_its_step([Values] Hook hook)
    {
        Sequential model = Toy.Built();
        using Device device = Open();
        Trainer trainer = Toy.Trainer(device, model);
        Assert.That(
            () => trainer.Fit(Toy.Points(64), 3, callbacks: [new At(hook, disposed => disposed.Dispose())]),
            Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Toy.Parameters(model), Has.All.Matches<float>(float.IsFinite));
        Assert.That(device.Memory.LiveBlocks, Is.Zero);
        using Trainer next = Toy.Trainer(device, model);
        Assert.That(float.IsFinite(next.TrainBatch(X, Labels)));
    }

    [Test]
    public void A_model_is_read_while_it_is_trained_and_while_its_trainer_goes()
    {
        using Device device = Open();
        for (int round = 0; round < 10; round++)
        {
            // One layer whose weights and biases all get the same gradient: those of one moment are equal.
            var model = new Sequential(new Dense(1));
            model.Build(new Shape(3));
            foreach (Parameter parameter in model.Parameters)
            {
                parameter.Write(new float[parameter.Count]);
            }

            using var ready = new ManualResetEventSlim();
            var training = new Thread(() =>
            {
                using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new Sgd(0.01f));
                for (int steps = 0; steps < 30;)
                {
                    try
                    {
                        trainer.TrainBatch([1, 1, 1, 1, 1, 1], [1f, 1f]);
                        steps++;
                        ready.Set();
                    }
                    catch (ConcurrentUseException)
                    {
                        // The other thread was reading the parameters: the step is refused whole, and made again.
                    }
                }
            });
            training.Start();
            ready.Wait();
            int reads = 0;
            while (training.IsAlive || reads == 0)
            {
                try
                {
                    using Predictor predictor = model.CreatePredictor(device, 1);
                    var y = new float[4];
                    predictor.Predict([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1], y);
                    reads++;
                    Assert.That(y[1..].Select(sum => sum - y[0]), Has.All.EqualTo(y[0]).Within(1e-5f), "weights of two steps");
                }
                catch (ConcurrentUseException exception)
                {
                    Assert.That(exception.Message, Does.Contain("another thread"));
                }
            }

            training.Join();
        }
    }

    [Test]
    public void A_first_step_that_fails_leaves_model_and_trainer_usable()
    {
        Sequential model = Toy.Built();
        using Device device = Open();
        using (Trainer trainer = Toy.Trainer(device, model))
        {
            Parameter last = model.Parameters[^1];
            last.Release(null, "for the test");
            for (int i = 0; i < 2; i++)
            {
                Assert.That(
                    () => trainer.TrainBatch(X, Labels),
                    Throws.InvalidOperationException.With.Message.Contains(last.Name).And.Message.Contains("lost"));
            }

            last.Write(new float[last.Count]);
            Near.SameBits(Toy.Parameters(Toy.Built()), Toy.Parameters(model));
            Assert.That(float.IsFinite(trainer.TrainBatch(X, Labels)));
        }

        Assert.That(device.Memory.LiveBlocks, Is.Zero);
    }

    [Test]
    public void Disposing_twice_and_at_once_frees_once()
    {
        using Device device = Open();
        for (int round = 0; round < 20; round++)
        {
            Trainer trainer = Toy.Trainer(device, Toy.Built());
            trainer.TrainBatch(X, Labels);
            Thread[] disposers = [.. Enumerable.Range(0, 4).Select(_ => new Thread(trainer.Dispose))];
            Array.ForEach(disposers, disposer => disposer.Start());
            Array.ForEach(disposers, disposer => disposer.Join());
            trainer.Dispose();
            Assert.That(device.Memory.LiveBlocks, Is.Zero);
        }
    }

    [Test]
    public void A_trainer_disposed_by_another_thread_ends_after_its_step()
    {
        Sequential model = Toy.Built();
        using Device device = Open();
        Trainer trainer = Toy.Trainer(device, model);
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        Exception? end = null;
        var training = new Thread(() => end = Catch(() => trainer.Fit(Toy.Points(64), 100, callbacks: [new At(Hook.Batch, _ =>
        {
            entered.Set();
            leave.Wait();
        })])));
        training.Start();
        entered.Wait();
        Assert.That(trainer.Dispose, Throws.Nothing);
        leave.Set();
        training.Join();
        Assert.That(end, Is.TypeOf<ObjectDisposedException>());
        Assert.That(device.Memory.LiveBlocks, Is.Zero);
        Assert.That(Toy.Parameters(model), Has.All.Matches<float>(float.IsFinite));
    }

    [Test]
    public void What_is_forgotten_is_given_back()
    {
        long before = LiveBlocks;
        Device device = Open();
        for (int i = 0; i < 5; i++)
        {
            Forget(device);
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        device.Dispose();
        Assert.That(LiveBlocks, Is.EqualTo(before), "forgotten trainers and predictors");
        for (int i = 0; i < 5; i++)
        {
            ForgetDevice();
        }

        // Twice: what a finalizer keeps alive is finalized in the next round.
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Open().Dispose();
        Assert.That(LiveBlocks, Is.EqualTo(before), "forgotten devices");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(Device device)
    {
        Sequential model = Toy.Built();
        Trainer trainer = Toy.Trainer(device, model);
        for (int i = 0; i < 3; i++)
        {
            trainer.TrainBatch(X, Labels);
        }

        model.CreatePredictor(device).Predict([1, 2], new float[4]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ForgetDevice()
    {
        Device device = Open();
        Forget(device);
    }

    private static Exception? Catch(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    /// <summary>Where a callback does something.</summary>
    internal enum Hook
    {
        Begin,
        Epoch,
        Batch,
        EpochEnd,
        End,
    }

    private sealed class At(Hook hook, Action<Trainer> action) : Callback
    {
        public override void OnTrainBegin(Trainer trainer) => Do(Hook.Begin, trainer);

        public override void OnEpochBegin(Trainer trainer, int epoch) => Do(Hook.Epoch, trainer);

        public override void OnBatchEnd(Trainer trainer, in BatchResult result) => Do(Hook.Batch, trainer);

        public override void OnEpochEnd(Trainer trainer, EpochResult result) => Do(Hook.EpochEnd, trainer);

        public override void OnTrainEnd(Trainer trainer, History history) => Do(Hook.End, trainer);

        private void Do(Hook at, Trainer trainer)
        {
            if (at == hook)
            {
                action(trainer);
            }
        }
    }
}
