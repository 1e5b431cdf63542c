"""What `ch train` leaves behind: Lightning goes on from its checkpoint, TensorBoard shows its events;
and `ch test` takes a checkpoint of Lightning's."""
import shutil
import subprocess
import unittest

import tools

tools.need("torch", "tensorboard", "yaml")
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from test_lightning import RESTRICTED, SaveAfterStep, Wrapper, trainer


class JscTiny(Wrapper):
    """jsc-tiny as MASE's wrapper holds it: `model.seq_blocks`."""

    def __init__(self):
        super().__init__()
        self.model = nn.Module()
        self.model.seq_blocks = nn.Sequential(nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 5), nn.ReLU())
        self.model.forward = self.model.seq_blocks.forward


def loader():
    random = torch.Generator().manual_seed(5)
    x, y = torch.randn(64, 16, generator=random), torch.randint(0, 5, (64,), generator=random)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=16)


class Run(tools.TestCase):
    def test_train(self):
        self.ch("train", "jsc-tiny", "jsc", "--max-epochs", 2, "--batch-size", 8192, "--learning-rate", 0.01,
                "--log-every-n-steps", 10)
        output = self.folder / "run" / "software"
        checkpoint = output / "training_ckpts" / "last.ckpt"
        loaded = torch.load(checkpoint, **RESTRICTED)
        self.assertEqual((loaded["epoch"], loaded["global_step"]), (1, 30))

        torch.manual_seed(0)
        model = JscTiny()
        seen = {}

        class Look(SaveAfterStep):
            def on_train_start(self, trainer, module):
                seen["epoch"] = trainer.current_epoch
                seen["state"] = {k: v.clone() for k, v in module.state_dict().items()}
                seen["steps"] = [float(s["step"]) for s in trainer.optimizers[0].state.values()]

        run = trainer(self.folder / "resumed", extra=[Look(0, None)], max_epochs=3)
        run.fit(model, loader(), loader(), ckpt_path=checkpoint)
        self.assertEqual(seen["epoch"], 2)
        self.assertEqual(seen["steps"], [30.0] * 4)
        self.assertEqual(list(seen["state"]), list(loaded["state_dict"]))
        for name, tensor in loaded["state_dict"].items():
            self.assertTrue(torch.equal(seen["state"][name], tensor), name)
        self.assertEqual((run.current_epoch, run.global_step), (3, 34))

        version = output / "tensorboard" / "lightning_logs" / "version_0"
        events = EventAccumulator(str(version))
        events.Reload()
        self.assertLessEqual({"train_loss_step", "train_acc_step", "val_loss_epoch", "val_acc_epoch",
                              "epoch", "lr-Adam"}, set(events.Tags()["scalars"]))
        self.assertEqual([e.step for e in events.Scalars("train_loss_step")], [9, 19, 29])
        self.assertAlmostEqual(events.Scalars("val_loss_epoch")[-1].value,
                               loaded["mase"]["position"]["val_loss_epoch"], 6)
        options = yaml.safe_load((version / "hparams.yaml").read_text(encoding="utf-8"))
        self.assertEqual((options["model"], options["learning_rate"]), ("jsc-tiny", 0.01))

    def test_quantised(self):
        rules = self.folder / "q.toml"
        rules.write_text("[passes.quantize]\nby = 'type'\nlinear.config = {name = 'integer', data_in_width = 8, "
                         "data_in_frac_width = 4, weight_width = 8, weight_frac_width = 4}\n", encoding="utf-8")
        output = self.folder / "run" / "software"
        self.ch("train", "jsc-tiny", "jsc", "--max-epochs", 1, "--batch-size", 8192)
        self.ch("transform", "jsc-tiny", "jsc", "--config", rules, "--load", output / "training_ckpts")
        self.ch("train", "jsc-tiny", "jsc", "--max-epochs", 1, "--batch-size", 8192,
                "--load", output / "transform" / "transformed_ckpt")
        loaded = torch.load(output / "training_ckpts" / "best.ckpt", **RESTRICTED)
        weight = loaded["mase"]["quantisation"]["seq_blocks_2"]["precision"]["weight"]
        self.assertEqual((weight["format"], weight["values"]["width"], weight["values"]["frac_width"]),
                         ("integer", 8, 4))
        JscTiny().load_state_dict(loaded["state_dict"])

    def resumed_rates(self, schedule, by_step=False, optimizer=torch.optim.Adam, **settings):
        """Two epochs of Lightning; then the learning rates of its next three, by epoch or step, and ours."""
        class Scheduled(JscTiny):
            def configure_optimizers(self):
                optimiser = optimizer(self.parameters(), lr=0.01, **settings)
                if schedule is None:
                    return optimiser
                interval = "step" if by_step else "epoch"
                return {"optimizer": optimiser,
                        "lr_scheduler": {"scheduler": schedule(optimiser), "interval": interval}}

        theirs = {}

        class Rates(SaveAfterStep):
            def on_train_batch_start(self, trainer, *_):
                key = trainer.global_step if by_step else trainer.current_epoch
                theirs[key] = trainer.optimizers[0].param_groups[0]["lr"]

        folder = self.folder / "theirs"
        trainer(folder, max_epochs=2).fit(Scheduled(), loader(), loader())
        trainer(self.folder / "on", extra=[Rates(0, None)], max_epochs=5).fit(
            Scheduled(), loader(), loader(), ckpt_path=folder / "last.ckpt")
        self.ch("train", "jsc-tiny", "jsc", "--max-epochs", 5, "--batch-size", 8192, "--log-every-n-steps", 1,
                f"--resume={folder / 'last.ckpt'}")
        version = max((self.folder / "run" / "software" / "tensorboard" / "lightning_logs").iterdir())
        ours = {}
        header, *rows = (version / "metrics.csv").read_text(encoding="utf-8").splitlines()
        for row in rows:
            step, epoch, rate = row.split(",")[:3]
            if rate:
                ours[int(step if by_step else epoch)] = float(rate)
        shutil.rmtree(self.folder / "run")
        shutil.rmtree(folder)
        common = sorted(set(theirs) & set(ours))
        self.assertGreaterEqual(len(common), 3)
        for key in common:
            self.assertAlmostEqual(ours[key], theirs[key], delta=1e-12, msg=f"{schedule} {key}")

    def test_resume(self):
        lr = torch.optim.lr_scheduler
        for schedule in (None,
                         lambda o: lr.CosineAnnealingLR(o, T_max=5),
                         lambda o: lr.CosineAnnealingLR(o, T_max=3, eta_min=1e-4),
                         lambda o: lr.StepLR(o, step_size=2, gamma=0.3),
                         lambda o: lr.MultiStepLR(o, milestones=[1, 3], gamma=0.3),
                         lambda o: lr.ExponentialLR(o, gamma=0.7),
                         lambda o: lr.ConstantLR(o, factor=0.5, total_iters=3),
                         lambda o: lr.LinearLR(o, start_factor=0.2, total_iters=4),
                         lambda o: lr.PolynomialLR(o, total_iters=4, power=2.0)):
            self.resumed_rates(schedule)
        self.resumed_rates(lambda o: lr.ExponentialLR(o, gamma=0.9), by_step=True)
        self.resumed_rates(lambda o: lr.StepLR(o, step_size=2, gamma=0.3), optimizer=torch.optim.SGD,
                           momentum=0.8, weight_decay=1e-3)

    def test_load(self):
        torch.manual_seed(0)
        theirs = self.folder / "theirs.ckpt"
        run = trainer(self.folder / "theirs", extra=[SaveAfterStep(3, theirs)], max_epochs=1)
        run.fit(JscTiny(), loader(), loader())
        self.assertIn("test_acc_epoch", self.ch("test", "jsc-tiny", "jsc", "--load", theirs))


if __name__ == "__main__":
    unittest.main()
