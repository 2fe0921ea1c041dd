using FastNN.Cli.Running;

namespace FastNN.Cli.Recipes;

/// <summary>What a policy learns from: what it saw and did, and how that went.</summary>
internal sealed record Experience(
    float[] Observations, int[] Actions, float[] LogProbabilities, float[] Advantages, float[] Returns)
{
    public int Count => Actions.Length;
}

/// <summary>
/// An actor and a critic on several copies of an environment. One update follows the policy gradient with a learned baseline
/// (Williams, 1992; Sutton et al., 2000), or proximal policy optimization (Schulman et al., 2017), with advantages by generalized
/// estimation (Schulman et al., 2016).
/// </summary>
internal sealed class PolicyAgent : IDisposable
{
    private const float Gamma = 0.99f, Lambda = 0.95f, Clip = 0.2f;

    private readonly GameEnvironment[] _environments;
    private readonly Random _random;
    private readonly Sequential _actor;
    private readonly Sequential _critic;
    private readonly DeviceWeights _weights;
    private readonly Session _acting;
    private readonly Session _judging;
    private readonly TrainingStep _learning;
    private readonly List<double> _episodes = [];
    private readonly float[] _observations;
    private readonly float[] _logits;
    private readonly float[] _values;

    /// <param name="device">Where to train.</param>
    /// <param name="environments">Run side by side.</param>
    /// <param name="seed">Determines weights, actions and episodes.</param>
    /// <param name="learningRate">Adam's.</param>
    /// <param name="clipped">Whether updates are PPO's; else they are those of the plain policy gradient.</param>
    public PolicyAgent(Device device, GameEnvironment[] environments, ulong seed, Schedule learningRate, bool clipped)
    {
        (_environments, _random) = (environments, new Random((int)seed));
        (int inputs, int actions) = (environments[0].ObservationSize, environments[0].Actions);
        _actor = new Sequential(
            new Dense(64, Activation.Tanh), new Dense(64, Activation.Tanh),
            new Dense(actions) { WeightInitializer = Initializer.Normal(0, 0.01f) });
        _critic = new Sequential(new Dense(64, Activation.Tanh), new Dense(64, Activation.Tanh), new Dense(1));
        _actor.Build([inputs], seed);
        _critic.Build([inputs], seed + 1);
        _weights = new DeviceWeights(device, _actor, _critic);
        _acting = _weights.CreateSession(_actor);
        _judging = _weights.CreateSession(_critic);
        _learning = new TrainingStep(
            _weights, step => Record(step, inputs, actions, clipped),
            [
                (new Adam { Schedule = learningRate, ClipNorm = 0.5f }, _actor.Parameters),
                (new Adam { Schedule = learningRate, ClipNorm = 0.5f }, _critic.Parameters),
            ]);
        _observations = new float[environments.Length * inputs];
        _logits = new float[environments.Length * actions];
        _values = new float[environments.Length];
        foreach (GameEnvironment environment in environments)
        {
            environment.Reset(_random);
        }
    }

    public Sequential Actor => _actor;

    /// <summary>The mean return of the last episodes that ended, 100 at most.</summary>
    public double RecentReturn => _episodes.Count == 0 ? 0 : _episodes.TakeLast(100).Average();

    public void Dispose()
    {
        _acting.Dispose();
        _judging.Dispose();
        _learning.Dispose();
        _weights.Dispose();
    }

    /// <summary>Acts for some steps in every environment.</summary>
    public Experience Act(int steps)
    {
        int count = _environments.Length, inputs = _environments[0].ObservationSize;
        var seen = new float[steps * count * inputs];
        var actions = new int[steps * count];
        float[] logProbabilities = new float[steps * count], rewards = new float[steps * count],
        values = new float[steps * count];
        var ended = new bool[steps * count];
        for (int t = 0; t < steps; t++)
        {
            Observe();
            _observations.CopyTo(seen, t * _observations.Length);
            Judge();
            _values.CopyTo(values, t * count);
            var truncated = new bool[count];
            for (int i = 0; i < count; i++)
            {
                int at = (t * count) + i;
                (actions[at], logProbabilities[at]) = Draw(i);
                (rewards[at], ended[at], truncated[i]) = _environments[i].Step(actions[at]);
            }

            if (truncated.Contains(true))
            {
                // What would have come behind the last step allowed counts by the critic's estimate.
                Observe();
                Judge();
            }

            for (int i = 0; i < count; i++)
            {
                int at = (t * count) + i;
                rewards[at] += truncated[i] ? Gamma * _values[i] : 0;
                ended[at] |= truncated[i];
                if (ended[at])
                {
                    _episodes.Add(_environments[i].Return);
                    _environments[i].Reset(_random);
                }
            }

        }

        Observe();
        Judge();
        return Estimate(seen, actions, logProbabilities, rewards, values, ended);
    }

    /// <summary>Updates by minibatches in random order.</summary>
    public void Learn(Experience experience, int epochs, int minibatch, ScriptPhase phase)
    {
        int inputs = _environments[0].ObservationSize;
        int[] order = [.. Enumerable.Range(0, experience.Count)];
        _learning.Begin([minibatch, inputs]);
        var observations = new float[minibatch * inputs];
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            _random.Shuffle(order);
            for (int first = 0; first + minibatch <= order.Length; first += minibatch)
            {
                int[] rows = order[first..(first + minibatch)];
                for (int i = 0; i < minibatch; i++)
                {
                    experience.Observations.AsSpan(rows[i] * inputs, inputs).CopyTo(observations.AsSpan(i * inputs));
                }

                _learning.Write("observations", observations);
                _learning.Write("actions", Array.ConvertAll(rows, row => experience.Actions[row]));
                _learning.Write("before", Array.ConvertAll(rows, row => experience.LogProbabilities[row]));
                _learning.Write("advantages", Standardized(Array.ConvertAll(rows, row => experience.Advantages[row])));
                _learning.Write("returns", Array.ConvertAll(rows, row => experience.Returns[row]));
                phase.Step(_learning.Run());
            }
        }
    }

    private static float[] Standardized(float[] values)
    {
        float mean = values.Average(), deviation = MathF.Sqrt(values.Average(value => (value - mean) * (value - mean)));
        return Array.ConvertAll(values, value => (value - mean) / (deviation + 1e-8f));
    }

    private void Record(StepBuilder step, int inputs, int actions, bool clipped)
    {
        Value seen = step.Input("observations", [Dim.Batch, inputs]), taken = step.Input("actions", [Dim.Batch], DType.Int32),
        before = step.Input("before", [Dim.Batch]), advantages = step.Input("advantages", [Dim.Batch]),
        returns = step.Input("returns", [Dim.Batch, 1]);
        Value logProbabilities = _actor.Apply(seen).LogSoftmax();
        Value chosen = (logProbabilities * taken.OneHot(actions)).Sum([1]);
        Value objective;
        if (clipped)
        {
            Value ratio = (chosen - before).Exp();
            objective = (ratio * advantages).Minimum(ratio.Clamp(1 - Clip, 1 + Clip) * advantages);
        }
        else
        {
            objective = chosen * advantages;
        }

        step.Loss("policy", -objective.Mean());
        step.Loss("value", Loss.MeanSquaredError.Apply(_critic.Apply(seen), returns), 0.5f);
        step.Loss("entropy", (logProbabilities.Exp() * logProbabilities).Sum([1]).Mean(), 0.01f);
    }

    private void Judge()
    {
        _acting.Run(_observations, _logits);
        _judging.Run(_observations, _values);
    }

    private (int Action, float LogProbability) Draw(int environment)
    {
        int actions = _environments[0].Actions;
        ReadOnlySpan<float> logits = _logits.AsSpan(environment * actions, actions);
        float highest = float.NegativeInfinity;
        foreach (float logit in logits)
        {
            highest = MathF.Max(highest, logit);
        }

        double sum = 0;
        foreach (float logit in logits)
        {
            sum += Math.Exp(logit - highest);
        }

        double left = _random.NextDouble() * sum;
        int action = 0;
        while (action < actions - 1 && (left -= Math.Exp(logits[action] - highest)) >= 0)
        {
            action++;
        }

        return (action, (float)(logits[action] - highest - Math.Log(sum)));
    }

    /// <summary>Advantages backwards in time, from the errors of the critic's one-step predictions.</summary>
    private Experience Estimate(
        float[] seen, int[] actions, float[] logProbabilities, float[] rewards, float[] values, bool[] ended)
    {
        int count = _environments.Length;
        float[] advantages = new float[rewards.Length], returns = new float[rewards.Length];
        for (int at = rewards.Length - 1; at >= 0; at--)
        {
            bool last = at + count >= rewards.Length;
            float next = ended[at] ? 0 : last ? _values[at % count] : values[at + count];
            float later = ended[at] || last ? 0 : advantages[at + count];
            advantages[at] = rewards[at] + (Gamma * next) - values[at] + (Gamma * Lambda * later);
            returns[at] = advantages[at] + values[at];
        }

        return new Experience(seen, actions, logProbabilities, advantages, returns);
    }

    private void Observe()
    {
        int inputs = _environments[0].ObservationSize;
        for (int i = 0; i < _environments.Length; i++)
        {
            _environments[i].Observe(_observations.AsSpan(i * inputs, inputs));
        }
    }
}
